// How a playground starts: in a page of the server, and as a widget in a notebook.

/** Return the settings and the language in the address of the page. */
function readAddress() {
  const settings = {};
  const values = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of values) {
    if (name === "language") continue;
    const first = DEFAULTS[name];
    if (Array.isArray(first)) {
      const parts = value ? value.split(",") : [];
      settings[name] = name === "hidden" ? parts.map(Number) : parts;
    } else settings[name] = typeof first === "number" ? Number(value) : value;
  }
  return { settings, language: values.get("language") };
}

/** Keep the settings in the address, so that it can be copied; the user's own points do not fit. */
function saveInAddress(settings, language) {
  const values = new URLSearchParams();
  for (const [name, value] of Object.entries(settings.data === "own" ? {} : settings)) {
    if (String(value) !== String(DEFAULTS[name])) values.set(name, String(value));
  }
  values.set("language", language);
  history.replaceState(null, "", `#${values}`);
}

/** Start the playground in a page of the server. */
export function startPage() {
  const app = new App(document.getElementById("playground"), askServer(), { ...readAddress(), save: saveInAddress });
  document.addEventListener("keydown", (event) => event.target === document.body && app.key(event));
  document.documentElement.lang = app.language;
  return app;
}

/** Show the playground in the output of a notebook: the function that anywidget calls. */
function render({ model, el }) {
  const ask = askKernel(model);
  const app = new App(el, ask, { settings: model.get("settings"), language: model.get("language") });
  return () => {
    app.close();
    ask.close();
  };
}

export default { render };
