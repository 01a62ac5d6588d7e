// Shared by all views. Text enters the page as text only: textContent and attributes, never markup.

/** An element. `attributes` go to setAttribute, except `on*` functions, which listen; null and false are left out. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Text whose direction does not leak into what is around it. */
function iso(text) {
  return el("bdi", {}, text);
}

/** Set one trait and send it. Python answers with a new scene. */
function tell(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

/** The frame of a view: the problem on top, a body that `paint(body, scene, say, repaint)` fills, a line read aloud. */
function frame(model, root, name, paint) {
  const problem = el("p", { class: "lk-problem", role: "alert" });
  const body = el("div", { class: "lk-body" });
  const live = el("p", { class: "lk-hidden", "aria-live": "polite" });
  const section = el("section", { class: `lk lk-${name}`, "aria-label": name }, problem, body, live);
  root.append(section);
  const repaint = () => paint(body, model.get("scene"), (words) => (live.textContent = words), repaint);
  const timed = () => (section.dataset.took = model.get("took")); // milliseconds in Python
  const complain = () => (problem.textContent = model.get("problem"));
  model.on("change:scene", repaint);
  model.on("change:problem", complain);
  model.on("change:took", timed);
  repaint();
  complain();
  return () => {
    model.off("change:scene", repaint);
    model.off("change:problem", complain);
    model.off("change:took", timed);
  };
}
