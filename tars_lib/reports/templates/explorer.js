"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const whole = [data.start, data.start + data.step * (data.length - 1)];
  const state = { from: whole[0], to: whole[1], shown: data.first, at: null };
  const make = (tag, attributes = {}, parent = null) => {
    const svg = ["svg", "path", "line", "rect", "text"].includes(tag);
    const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (parent) parent.append(element);
    return element;
  };
  const clock = (time) => new Date(time).toISOString().slice(0, 16).replace("T", " ") + " UTC";
  const number = (value, unit) => {
    if (value === null) return "no sample";
    const shown = unit === "ratio" ? value * 100 : value;
    return `${Number(shown.toPrecision(4)).toLocaleString("en")}${unit === "ratio" ? "%" : unit === "count" ? "" : ` ${unit}`}`;
  };
  const name = (place) => `${data.series[place].metric} of ${data.series[place].repo}`;
  const panels = [0, 1].map((place) => {
    const box = make("section", {}, document.getElementById("panels"));
    const choice = make("select", { "aria-label": `Metric of figure ${place + 1}` }, box);
    data.series.forEach((one, index) => { make("option", { value: index }, choice).textContent = name(index); });
    choice.addEventListener("change", () => { state.shown[place] = Number(choice.value); draw(); });
    const said = make("output", {}, box);
    const svg = make("svg", { viewBox: "0 0 1000 240", role: "img" }, box);
    let begun = null;
    const timeAt = (event) => {
      const area = svg.getBoundingClientRect();
      const share = ((event.clientX - area.left) / area.width * 1000 - 60) / 930;
      return state.from + Math.min(1, Math.max(0, share)) * (state.to - state.from);
    };
    svg.addEventListener("pointermove", (event) => { state.at = timeAt(event); point(); });
    svg.addEventListener("pointerleave", () => { state.at = null; point(); });
    svg.addEventListener("pointerdown", (event) => { begun = timeAt(event); svg.setPointerCapture(event.pointerId); });
    svg.addEventListener("pointerup", (event) => {
      const ends = [begun, timeAt(event)].sort((a, b) => a - b);
      begun = null;
      if (ends[1] - ends[0] > 2 * data.step) zoom(ends[0], ends[1]);
    });
    svg.addEventListener("dblclick", () => zoom(...whole));
    return { choice, said, svg };
  });
  const zoom = (from, to) => { state.from = Math.max(whole[0], from); state.to = Math.min(whole[1], to); draw(); };
  const x = (time) => 60 + 930 * (time - state.from) / (state.to - state.from);
  const index = (time) => Math.min(data.length - 1, Math.max(0, Math.round((time - data.start) / data.step)));
  const draw = () => {
    panels.forEach(({ choice, svg }, place) => {
      const one = data.series[state.shown[place]];
      choice.value = state.shown[place];
      svg.replaceChildren();
      svg.setAttribute("aria-label", `${name(state.shown[place])}, ${clock(state.from)} to ${clock(state.to)}`);
      const [first, last] = [index(state.from), index(state.to)];
      const seen = one.values.slice(first, last + 1).filter((value) => value !== null);
      const high = Math.max(...seen, 0) || 1;
      const low = Math.min(...seen, high);
      const floor = low < high / 2 ? 0 : low - (high - low || high) * 0.1;
      const y = (value) => 205 - 180 * (value - floor) / (high - floor || 1);
      for (const level of [floor, (floor + high) / 2, high]) {
        make("line", { x1: 60, x2: 990, y1: y(level), y2: y(level), class: "grid" }, svg);
        make("text", { x: 54, y: y(level) + 4, class: "level" }, svg).textContent = number(level, one.unit);
      }
      for (const [time, anchor] of [[state.from, "start"], [state.to, "end"]]) {
        make("text", { x: x(time), y: 232, "text-anchor": anchor }, svg).textContent = clock(time);
      }
      for (const event of data.events) {
        if (event.time >= state.from && event.time <= state.to) {
          make("line", { x1: x(event.time), x2: x(event.time), y1: 15, y2: 205, class: "event" }, svg);
        }
      }
      let path = "";
      let joined = false;
      for (let at = first; at <= last; at += 1) {
        const value = one.values[at];
        if (value !== null) path += `${joined ? "L" : "M"}${x(data.start + at * data.step).toFixed(1)} ${y(value).toFixed(1)}`;
        joined = value !== null;
      }
      make("path", { d: path, class: "line" }, svg);
      make("line", { y1: 15, y2: 205, class: "cursor", visibility: "hidden" }, svg);
    });
    point();
  };
  const point = () => {
    panels.forEach(({ said, svg }, place) => {
      const one = data.series[state.shown[place]];
      const cursor = svg.querySelector(".cursor");
      cursor.setAttribute("visibility", state.at === null ? "hidden" : "visible");
      if (state.at === null) { said.textContent = "Point at the line for a value, drag to zoom, double-click for all."; return; }
      const at = index(state.at);
      const time = data.start + at * data.step;
      cursor.setAttribute("x1", x(time));
      cursor.setAttribute("x2", x(time));
      said.textContent = `${clock(time)}: ${number(one.values[at], one.unit)}`;
    });
  };
  const list = document.getElementById("events");
  const moved = document.getElementById("moved");
  for (const event of data.events) {
    const button = make("button", { type: "button" }, make("li", {}, list));
    button.textContent = `${clock(event.time)}: ${event.title}`;
    button.addEventListener("click", () => {
      moved.replaceChildren();
      document.getElementById("said").textContent = event.said;
      for (const place of event.moved) {
        const metric = make("button", { type: "button" }, make("li", {}, moved));
        metric.textContent = name(place);
        metric.addEventListener("click", () => { state.shown[0] = place; draw(); });
      }
      event.moved.slice(0, 2).forEach((place, panel) => { state.shown[panel] = place; });
      zoom(event.time - 86400000, event.time + 86400000);
    });
  }
  document.getElementById("all").addEventListener("click", () => zoom(...whole));
  draw();
})();
