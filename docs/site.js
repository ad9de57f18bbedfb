// A table wider than its column scrolls in a frame of its own, which a keyboard has to reach, too. The theme makes the frames after
// the page is there, so they are looked for whenever something was added.
const reach = () => {
  for (const frame of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (frame.scrollWidth > frame.clientWidth) frame.tabIndex = 0
    else frame.removeAttribute("tabindex")
  }
}
new MutationObserver(reach).observe(document.body, { childList: true, subtree: true })
addEventListener("resize", reach)
reach()
