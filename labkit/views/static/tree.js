// Paints any view that Python sends as a tree: [tag, attributes, ...children]. See labkit/views/tree.py.

const SVG = new Set(["svg", "line"]);

/** An element of the tree, with how it answers. */
function grow(part, hooks) {
  if (typeof part === "string") return part;
  const [tag, { set, flip, choose, say, lit, key, live, ...plain }, ...children] = part;
  const element = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(plain)) {
    if (!name.startsWith("on")) element.setAttribute(name, value === true ? "" : value);
  }
  if (key !== undefined) element.dataset.key = key;
  if (lit !== undefined) element.dataset.lit = lit;
  if (set) element.addEventListener("click", () => hooks.send(set));
  if (flip) element.addEventListener("click", () => hooks.flip(flip));
  if (choose) element.addEventListener("change", () => hooks.send({ [choose]: Number(element.value) }));
  if (say !== undefined || lit !== undefined) {
    for (const name of ["mouseenter", "focus"]) element.addEventListener(name, () => hooks.over(say, lit));
    for (const name of ["mouseleave", "blur"]) element.addEventListener(name, () => hooks.over(undefined, undefined));
  }
  element.append(...children.map((child) => grow(child, hooks)));
  return element;
}

/** In a toolbar one button is reached by Tab, the others by arrow keys. */
function rove(bar) {
  const buttons = [...bar.querySelectorAll("button")];
  buttons.forEach((button, at) => (button.tabIndex = at ? -1 : 0));
  bar.addEventListener("focusin", (event) => buttons.forEach((button) => (button.tabIndex = button === event.target ? 0 : -1)));
  bar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    buttons[to]?.focus();
  });
}

function paintTree(body, scene, say, model) {
  const kept = body.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const open = new Set([...body.querySelectorAll("details[open]")].map((one) => one.dataset.key));
  const hooks = {
    send(traits) {
      for (const [name, value] of Object.entries(traits)) model.set(name, value);
      model.save_changes();
    },
    flip(lists) {
      const flipped = ([name, numbers]) => {
        const now = model.get(name);
        const others = now.filter((one) => !numbers.includes(one));
        return [name, numbers.every((one) => now.includes(one)) ? others : [...others, ...numbers]];
      };
      hooks.send(Object.fromEntries(Object.entries(lists).map(flipped)));
    },
    over(words, lit) {
      const names = new Set(lit?.split(" "));
      for (const other of body.querySelectorAll("[data-lit]")) {
        other.classList.toggle("lk-lit", other.dataset.lit.split(" ").some((name) => names.has(name)));
      }
      if (words === undefined) return;
      for (const line of body.querySelectorAll(".lk-status")) line.textContent = words;
      say(words);
    },
  };
  body.replaceChildren(grow(scene.tree, hooks));
  body.querySelectorAll("[role=toolbar]").forEach(rove);
  for (const one of body.querySelectorAll("details")) if (open.has(one.dataset.key)) one.open = true;
  if (kept !== undefined) [...body.querySelectorAll("[data-key]")].find((one) => one.dataset.key === kept)?.focus({ preventScroll: true });
}

export default {
  render({ model, el: root }) {
    const stop = frame(model, root, model.get("scene").name, (body, scene, say) => paintTree(body, scene, say, model));
    const section = root.lastElementChild;
    section.dataset.lmSuppressShortcuts = true; // JupyterLab's own keys stay away from what is in here
    section.addEventListener("keydown", (event) => event.key !== "Tab" && event.stopPropagation());
    return stop;
  },
};
