const MEASURES = ["similarity", "share", "difference"];

/** The view's own state, which Python need not know: what is lit, pinned, unfolded, and which number the chips show. */
function fresh() {
  return { pins: new Set(), over: null, unfolded: new Set(), measure: 0 };
}

function paintAlignment(body, scene, say, repaint, model, state) {
  const tokens = [new Map(), new Map(), new Map()]; // elements of the query, of the shown document, of its rival
  const status = el("p", { class: "lk-status" });

  function linked(place, token) {
    if (place === 0) return [[0, token], ...scene.winners.map((won, n) => [n + 1, won[token]])];
    const queries = (scene.winners[place - 1] ?? []).flatMap((won, q) => (won === token ? [[0, q]] : []));
    return [[place, token], ...queries];
  }
  function light() {
    for (const map of tokens) for (const element of map.values()) element.classList.remove("lk-lit", "lk-pin");
    const lit = [...state.pins].map((key) => key.split("-").map(Number));
    for (const [place, token] of lit) {
      for (const [p, t] of linked(place, token)) tokens[p]?.get(t)?.classList.add("lk-lit", "lk-pin");
    }
    if (state.over) for (const [p, t] of linked(...state.over)) tokens[p]?.get(t)?.classList.add("lk-lit");
    for (const row of body.querySelectorAll("tr[data-tokens]")) {
      const own = row.dataset.tokens.split(" ");
      row.classList.toggle("lk-hot", own.some((t) => tokens[0].get(Number(t))?.classList.contains("lk-lit")));
    }
  }
  function over(place, token, words) {
    state.over = [place, token];
    status.textContent = words;
    say(words);
    light();
  }
  function out() {
    state.over = null;
    light();
  }
  function pin(place, token, element) {
    const key = `${place}-${token}`;
    if (!state.pins.delete(key)) state.pins.add(key);
    element.setAttribute("aria-pressed", state.pins.has(key));
    light();
  }
  function unpin() {
    state.pins.clear();
    for (const element of body.querySelectorAll(".lk-token")) element.setAttribute("aria-pressed", false);
    out();
    status.textContent = "Nothing is pinned.";
    say("Nothing is pinned.");
  }

  /** A token: one of a group is reached by Tab, the others by arrow keys; Enter or Space pins, Escape clears. */
  function token(place, number, text, words, attributes = {}) {
    const element = el("span", {
      ...attributes, role: "button", tabindex: tokens[place].size ? -1 : 0, "data-place": place, "data-token": number,
      "aria-pressed": String(state.pins.has(`${place}-${number}`)), "aria-label": words,
      onmouseenter: () => over(place, number, words), onmouseleave: out,
      onfocus: () => over(place, number, words), onblur: out,
      onclick: () => pin(place, number, element),
      onkeydown: (event) => {
        const group = [...element.closest("[role=group]").querySelectorAll(".lk-token")].filter((t) => t.offsetParent);
        const at = group.indexOf(element);
        const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: group.length - 1 }[event.key];
        if (event.key === "Enter" || event.key === " ") pin(place, number, element);
        else if (event.key === "Escape") unpin();
        else if (to === undefined) return;
        else if (group[to]) {
          element.tabIndex = -1;
          group[to].tabIndex = 0;
          group[to].focus();
        }
        event.preventDefault();
        event.stopPropagation();
      },
    }, text);
    element.classList.add("lk-token");
    tokens[place].set(number, element);
    return element;
  }

  function controls() {
    let wait;
    const send = (value) => { clearTimeout(wait); if (value !== model.get("query")) tell(model, "query", value); };
    const input = el("input", {
      type: "text", "data-name": "query", "aria-label": "query", dir: "auto", onchange: (e) => send(e.target.value),
      oninput: (e) => { clearTimeout(wait); if (scene.live) wait = setTimeout(() => send(e.target.value), 350); },
      onkeydown: (e) => e.stopPropagation(),
    });
    input.value = model.get("query");
    const toggles = scene.kinds.map((kind) => el("button", {
      type: "button", "data-kind": kind.kind, "aria-pressed": String(kind.on),
      onclick: () => {
        const without = model.get("without").filter((name) => name !== kind.kind);
        tell(model, "without", kind.on ? [...without, kind.kind] : without);
      },
    }, `${kind.on ? "☑" : "☐"} ${kind.label}`));
    const rivals = el("select", { "data-name": "against", onchange: (e) => tell(model, "against", Number(e.target.value)) },
      el("option", { value: -2 }, "no other"),
      scene.docs.filter((doc) => !doc.shown).map((doc) =>
        el("option", { value: doc.number, selected: doc.number === scene.against }, `${doc.rank}. ${doc.name}`)));
    const measures = el("select", { "data-name": "measure", onchange: (e) => { state.measure = Number(e.target.value); repaint(); } },
      MEASURES.slice(0, scene.words[0]?.values.length).map((name, n) => el("option", { value: n, selected: n === state.measure }, name)));
    return el("div", { class: "lk-controls" }, el("label", {}, "query", input), toggles,
      scene.words.length ? el("label", { class: "lk-small" }, "chips show", measures) : null,
      scene.words.length && scene.docs.length > 1 ? el("label", { class: "lk-small" }, "compare with", rivals) : null);
  }

  function tabs() {
    return el("div", { class: "lk-tabs", role: "group", "aria-label": "documents" }, scene.docs.map((doc) => el("button", {
      type: "button", "data-doc": doc.number, "aria-pressed": String(doc.shown), onclick: () => tell(model, "shown", doc.number),
    }, el("span", {}, `${doc.rank}. `, iso(doc.name)), el("small", {}, doc.score))));
  }

  function chips() {
    return el("div", { class: "lk-query", role: "group", "aria-label": "words of the query" }, scene.words.map((word) => el("span", {
      class: `lk-q${word.minor ? " lk-minor" : ""}${word.off ? " lk-off" : ""}` },
      el("b", {}, word.tokens.map(([number, label]) => token(0, number, label, scene.said[number])), el("sup", {}, word.number)),
      el("small", {}, iso(word.partner)), el("small", {}, word.values[Math.min(state.measure, word.values.length - 1)]))));
  }

  function run(place, part) {
    if (typeof part === "string") return part;
    const [text, [first, ...rest], marks, strength, look, words] = part;
    const name = ["", "lk-m", "lk-m lk-minor"][look];
    const element = token(place, first, text, `“${text.trim()}”: ${words}`, { class: name, style: `--s:${strength}` });
    for (const other of rest) tokens[place].set(other, element);
    return marks ? [element, el("sup", { "aria-hidden": "true" }, marks)] : element;
  }
  function panel(part, n) {
    const runs = part.runs.map((piece, i) => {
      if (!piece.fold) return run(n + 1, piece);
      const key = `${part.title} ${i}`;
      if (state.unfolded.has(key)) return piece.runs.map((inner) => run(n + 1, inner));
      const [hidden] = piece.runs.find(Array.isArray)[1]; // the token that has the focus once it is unfolded
      return [" ", el("button", { type: "button", class: "lk-fold", "data-place": n + 1, "data-token": hidden, onclick: () => { state.unfolded.add(key); repaint(); } },
        `… ${piece.fold} tokens …`), " "];
    });
    const cut = part.unread ? el("span", { class: "lk-cut" }, el("b", {}, "✂ cut here: not read "), part.unread) : null;
    return el("article", {}, el("h4", {}, iso(part.title)), part.empty ? el("p", { class: "lk-soft" }, part.empty) :
      el("p", { class: "lk-text", dir: "auto", role: "group", "aria-label": "tokens of the document" }, runs.flat(), cut));
  }

  function bar(width, name) {
    return width === undefined ? null : el("i", { class: name, style: `width:${Math.max(0, 100 * width)}%` });
  }
  function rows() {
    const two = scene.head.length > 5;
    const cell = (text, name = "") => el("td", { class: name }, iso(text));
    const [number, word, match, earns, share, ...rival] = scene.head;
    const title = (text = "", name = "") => el("th", { class: name }, iso(text));
    const head = [title(number), title(word), title(match), title(earns, "lk-num"), title(), title(share, "lk-num lk-wide"), two ? [
      title(rival[0], "lk-wide"), title(rival[1], "lk-num lk-wide"), title("", "lk-wide"), title(rival[2], "lk-num"), title()] : []];
    const lines = scene.rows.map(({ mark, cells, bars, minor, off, tokens: own }) => el("tr", {
      class: `lk-${mark}${minor ? " lk-minor" : ""}${off ? " lk-off" : ""}`, "data-tokens": own.length ? own.join(" ") : null },
      cell(cells[0], "lk-num"), cell(cells[1]), cell(cells[2]), cell(cells[3], "lk-num"), el("td", { class: "lk-bar" }, bar(bars[0], "")),
      cell(cells[4], "lk-num lk-wide"),
      two ? [cell(cells[5], "lk-wide"), cell(cells[6], "lk-num lk-wide"), el("td", { class: "lk-bar lk-wide" }, bar(bars[1], "lk-rivals")), cell(cells[7], "lk-num"),
        el("td", { class: "lk-bar" }, bars.length ? el("div", { class: "lk-diff" }, bar(Math.abs(bars[2]), bars[2] < 0 ? "lk-minus" : "")) : null)] : []));
    return el("div", { class: "lk-scroll", tabindex: 0, role: "group", "aria-label": "table" }, el("table", {}, el("thead", {}, el("tr", {}, head.flat())), el("tbody", {}, lines)));
  }

  function map() {
    const { rows: height, columns, unit, data } = scene.matrix;
    const values = Int8Array.from(atob(data), (c) => c.charCodeAt(0));
    const wide = Math.max(1, Math.floor(1200 / columns));
    const canvas = el("canvas", { width: columns * wide, height: height * 15, style: `height:${height * 15}px`, role: "img",
      "aria-label": "similarity of every query token with every document token; framed: the best of each row" });
    const pen = canvas.getContext("2d");
    for (let q = 0; q < height; q++) {
      for (let d = 0; d < columns; d++) {
        pen.fillStyle = `rgba(40,140,210,${Math.max(0, values[q * columns + d] * unit)})`;
        pen.fillRect(d * wide, q * 15, wide, 14);
      }
      pen.strokeStyle = "#d55e00";
      pen.lineWidth = 3;
      const won = scene.winners[0][q];
      if (won >= 0) pen.strokeRect(won * wide, q * 15 + 1.5, Math.max(wide, 4), 11);
    }
    const labels = scene.words.flatMap((word) => word.tokens.map(([, label]) => el("li", {}, iso(label))));
    canvas.addEventListener("mousemove", (event) => {
      const box = canvas.getBoundingClientRect();
      const q = Math.min(height - 1, Math.floor(((event.clientY - box.top) / box.height) * height));
      const d = Math.min(columns - 1, Math.floor(((event.clientX - box.left) / box.width) * columns));
      const other = tokens[1].get(d)?.textContent.trim() ?? `token ${d + 1}, folded`;
      over(0, q, `${labels[q].textContent} × ${other}: ${(values[q * columns + d] * unit).toFixed(2)}`);
      tokens[1].get(d)?.classList.add("lk-lit");
    });
    canvas.addEventListener("mouseleave", out);
    return el("div", {}, el("p", { class: "lk-soft" }, `Similarity of every query token with the ${columns} tokens of ${scene.panels[0].title}`),
      el("div", { class: "lk-map" }, el("ol", {}, labels), canvas));
  }

  if (state.query !== scene.query) state.pins.clear(); // another query has other tokens
  state.query = scene.query;
  const kept = document.activeElement && body.contains(document.activeElement) ? { ...document.activeElement.dataset } : null;
  const caret = document.activeElement?.selectionStart;
  const typed = kept?.name === "query" ? document.activeElement.value : null;
  const two = scene.panels.length > 1 ? " lk-two" : "";
  const words = scene.words.length > 0;
  status.textContent = words ? "Point at a word, or move over the words with Tab and the arrow keys. Enter pins, Escape clears." : scene.told;
  body.replaceChildren(controls(), tabs(), ...(words ? [el("p", { class: "lk-soft" }, iso(scene.caption)), chips()] : []), el("h3", {}, iso(scene.headline)),
    words ? el("div", { class: "lk-why" },
      el("table", { class: "lk-reasons" }, el("tbody", {}, scene.reasons.map((r) => el("tr", {}, el("td", { class: "lk-num" }, r[0]), el("td", {}, iso(r[1])), el("td", {}, iso(r[2])))))),
      scene.told ? el("div", { class: "lk-told" }, el("div", { class: "lk-meter" }, el("span", { style: `width:${100 * Math.max(0, Math.min(1, scene.share))}%` }),
        el("b", {}, `${Math.round(100 * scene.share)}% from function words`)), el("p", {}, iso(scene.told))) : null) : "",
    ...scene.notes.map((note) => el("p", { class: "lk-soft" }, iso(note))), status,
    el("div", { class: `lk-panels lk-live${two}` }, scene.panels.map(panel)),
    words ? el("div", { class: "lk-side" }, el("div", {}, rows(), el("p", { class: `lk-receipt${scene.balanced ? "" : " lk-bad"}` }, scene.receipt)),
      scene.matrix.columns ? map() : "") : "");
  light();
  if (!kept || !Object.keys(kept).length) return;
  const same = [...body.querySelectorAll("[data-name],[data-kind],[data-doc],[data-token]")].find((element) =>
    Object.entries(kept).every(([name, value]) => element.dataset[name] === value));
  same?.focus();
  if (typed !== null && same) {
    same.value = typed;
    same.setSelectionRange(caret, caret);
  }
}

export default {
  render({ model, el: root }) {
    const state = fresh();
    return frame(model, root, "alignment", (body, scene, say, repaint) => paintAlignment(body, scene, say, repaint, model, state));
  },
};
