// Elements of the page, and its texts.

/**
 * Return an element.
 * @param {string} tag The tag, with classes: "button.unit".
 * @param {Object} attributes Attributes; a function is an event handler ("onclick").
 * @param {...(Node|string|null)} children What is inside; null is left out.
 */
function element(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child != null));
  return made;
}

/** Return a labeled select box; `options` are pairs of value and text. */
function select(label, value, options, change, name) {
  const box = element(
    "select",
    { name, onchange: (event) => change(event.target.value) },
    options.map(([each, text]) => element("option", { value: each, selected: each === value }, text)),
  );
  return element("label.field", {}, element("span", {}, label), box);
}

/** Return a labeled slider that shows its value as a percentage. */
function slider(label, value, low, high, change, name) {
  const shown = element("output", {}, percent(value));
  const input = element("input", {
    type: "range", name, min: low, max: high, step: 0.05, value,
    oninput: (event) => (shown.textContent = percent(event.target.value)),
    onchange: (event) => change(Number(event.target.value)),
  });
  return element("label.field.slider", {}, element("span", {}, label, " ", shown), input);
}

/** Return a labeled check box. */
function checkbox(label, value, change, name) {
  const input = element("input", {
    type: "checkbox", name, checked: value, onchange: (event) => change(event.target.checked),
  });
  return element("label.check", {}, input, " ", label);
}

function percent(value) {
  return `${Math.round(value * 100)} %`;
}

/** Return a function from the key of a text, and the values of its placeholders, to the text. */
function textsOf(language) {
  const texts = TEXTS[language] ?? TEXTS.en;
  return (key, values = {}) => {
    const text = key.split(".").reduce((part, name) => part?.[name], texts);
    if (typeof text !== "string") return text ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  };
}

/** Return the first language of the browser that has texts. */
function preferredLanguage() {
  const known = (navigator.languages ?? []).map((each) => each.slice(0, 2));
  return known.find((each) => each in TEXTS) ?? "en";
}

/** Return whether the page around is dark: that of a notebook, or what the user prefers. */
function surroundingsAreDark() {
  const { body, documentElement: root } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (/vscode-(dark|light|high)/.test(body.className)) return !body.classList.contains("vscode-light");
  if (root.getAttribute("theme")) return root.getAttribute("theme") === "dark";
  for (const each of [body, root]) {
    if (each.classList.contains("dark")) return true;
    if (each.classList.contains("light")) return false;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Return a number with three digits, or a dash. */
function short(value) {
  if (value == null) return "–";
  return Math.abs(value) >= 1000 ? value.toExponential(1) : value.toFixed(3);
}
