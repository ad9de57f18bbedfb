// The notebooks of the workbook as cards in JupyterLab's launcher: a click copies one beside the open folder and opens it.
//
// A prebuilt extension is a container of webpack's module federation. This one is written by hand, so that the package is
// built without node: `init` is given the modules that JupyterLab shares, `get` returns the plugin.
// https://jupyterlab.readthedocs.io/en/stable/extension/extension_dev.html#how-prebuilt-extensions-work
(() => {
  const NAME = "tars-incident-workbook";
  // the first one is where a newcomer begins; the others in the order of an incident
  const NOTEBOOKS = {
    welcome: "Welcome",
    golden_path: "Golden path",
    incident_report: "Incident report",
    sla_breach: "SLA breach",
    critical_alerts: "Critical alerts",
    cross_repo_anomaly: "Cross-repo anomaly",
    propagation: "Propagation",
    correlation_investigation: "Correlations",
    at_risk_monitoring: "SLAs at risk",
    org_risk: "Organisation risk",
    executive_summary: "Executive summary",
    postmortem: "Postmortem",
    trend_review: "Trend review",
  };
  const ICON =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect x="2" y="3" width="20" height="18" rx="3" ' +
    'fill="#1f4e79"/><path d="M5 14h4l2-7 3 11 2-4h3" fill="none" stroke="#fff" stroke-width="2"/></svg>';
  let shared = {};

  async function module(name) {
    const [version] = Object.values(shared[name]);
    return (await version.get())();
  }

  async function freePath(contents, folder, name) {
    const listed = await contents.get(folder, { content: true });
    const taken = new Set(listed.content.map((item) => item.name));
    for (let number = 1; ; number += 1) {
      const file = `${name}${number > 1 ? `-${number}` : ""}.ipynb`;
      if (!taken.has(file)) return folder ? `${folder}/${file}` : file;
    }
  }

  async function copy(app, base, name, folder) {
    const answer = await fetch(`${base}/${NAME}/static/notebooks/${name}.ipynb`);
    if (!answer.ok) throw new Error(`notebook ${name}: ${answer.status} ${answer.statusText}`);
    const { contents } = app.serviceManager;
    const path = await freePath(contents, folder, name);
    await contents.save(path, { type: "notebook", format: "json", content: await answer.json() });
    return app.commands.execute("docmanager:open", { path });
  }

  async function plugin() {
    const { ILauncher } = await module("@jupyterlab/launcher");
    const { LabIcon } = await module("@jupyterlab/ui-components");
    const { PageConfig } = await module("@jupyterlab/coreutils");
    const icon = new LabIcon({ name: `${NAME}:icon`, svgstr: ICON });
    const base = PageConfig.getOption("fullLabextensionsUrl");
    return {
      id: `${NAME}:launcher`,
      autoStart: true,
      requires: [ILauncher],
      activate: (app, launcher) => {
        Object.entries(NOTEBOOKS).forEach(([name, label], rank) => {
          const command = `${NAME}:${name}`;
          const execute = (given) => copy(app, base, name, given.cwd || "");
          app.commands.addCommand(command, { label, caption: `Copy the notebook ${name} here and open it`, icon, execute });
          launcher.add({ command, category: "T.A.R.S.", rank });
        });
      },
    };
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const made = await plugin();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
