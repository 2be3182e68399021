// The controls: the bar, the settings and the data.

const RATES = [0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const PENALTIES = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const BATCH_SIZES = [1, 2, 5, 10, 20, 50, 100, 200];
const SPEEDS = [1, 50, 200, 1000];
const DATA_OF_TASK = {
  classification: ["circle", "xor", "gauss", "spiral", "moons", "iris", "own"],
  regression: ["plane", "hills", "own"],
};

/** Return a button. */
function button(name, text, click, more = {}) {
  return element("button", { type: "button", name, onclick: click, ...more }, text);
}

/** Return the title, with what is not about the run: the code, the tour, the language, the theme. */
function makeTitle(app) {
  const t = app.texts;
  const languages = Object.entries(TEXTS).map(([name, texts]) => [name, texts.name]);
  return element(
    "div.title", {},
    element("h1", {}, t("title")), element("p", {}, t("subtitle")), element("span.space"),
    button("code", t("code"), () => app.showCode()),
    button("tour", t("tourOpen"), () => app.openTour(), { hidden: app.tourStep !== null }),
    select(t("language"), app.language, languages, (value) => app.setLanguage(value), "language"),
    button("theme", "◐", () => app.switchTheme(), { title: t("theme"), "aria-label": t("theme") }),
  );
}

/** Return the bar with the buttons of the run. */
function makeBar(app) {
  const t = app.texts;
  app.playButton = button("play", "", () => app.toggle());
  app.playButton.classList.add("primary");
  app.epochShown = element("output.epoch", { name: "epoch" });
  app.speedShown = element("span.rate", {});
  const speeds = SPEEDS.map((each) => [String(each), each === 1 ? t("speed_1") : String(each)]);
  return element(
    "div.bar", { role: "toolbar", "aria-label": t("run") },
    app.playButton,
    button("step", t("step"), () => app.trainOneEpoch()),
    button("reset", t("reset"), () => app.reset()),
    element("span.counter", {}, `${t("epoch")} `, app.epochShown),
    select(t("speed"), String(app.speed), speeds, (value) => (app.speed = Number(value)), "speed"),
    app.speedShown,
  );
}

/** Return the select boxes of the network and of the training. */
function makeSettings(app) {
  const { texts: t, settings } = app;
  const choose = (name, values, text = (each) => each, number = false) => {
    const known = values.includes(settings[name]) ? values : [...values, settings[name]];
    return select(
      t(name), String(settings[name]), known.map((each) => [String(each), text(each)]),
      (value) => app.change({ [name]: number ? Number(value) : value }), name,
    );
  };
  const regularization = (each) => (each === "none" ? t("regularization_none") : each.toUpperCase());
  const optimizers = { sgd: "SGD", momentum: "SGD + momentum", rmsprop: "RMSprop", adam: "Adam" };
  return element(
    "div.settings", { role: "group", "aria-label": t("settings") },
    choose("task", ["classification", "regression"], (each) => t(`task_${each}`)),
    choose("activation", ["tanh", "relu", "sigmoid", "gelu", "linear"]),
    choose("optimizer", Object.keys(optimizers), (each) => optimizers[each]),
    choose("learning_rate", RATES, String, true),
    choose("regularization", ["none", "l1", "l2"], regularization),
    choose("regularization_rate", PENALTIES, String, true),
    choose("batch_size", BATCH_SIZES, String, true),
  );
}

/** Return the section in which the data is chosen. */
function makeData(app) {
  const { texts: t, settings } = app;
  const buttons = DATA_OF_TASK[settings.task].map((name) => {
    const canvas = element("canvas");
    app.previews.push([canvas, name]);
    return element("button.data", {
      type: "button", name: `data-${name}`, "aria-pressed": String(settings.data === name),
      onclick: () => app.chooseData(name),
    }, canvas, element("span", {}, t(`data_${name}`)));
  });
  const again = (name) => button(name, t(name), () => app.change({ [name]: settings[name] + 1 }));
  const isOwn = settings.data === "own";
  return element(
    "section.data", { "aria-label": t("data") },
    element("div.head", {}, element("h2", {}, t("data"))),
    element("div.sets", {}, buttons),
    isOwn ? makeBrush(app) : slider(t("noise"), settings.noise, 0, 0.5, (noise) => app.change({ noise }), "noise"),
    slider(t("test_share"), settings.test_share, 0.1, 0.9, (value) => app.change({ test_share: value }), "test_share"),
    element("div.buttons", {}, isOwn ? null : again("data_seed"), again("seed")),
  );
}

/** Return what draws the user's own points. */
function makeBrush(app) {
  const { texts: t, settings } = app;
  const names = app.ownNames?.slice(3) ?? t("classes");
  const values = settings.task === "regression" ? [[-1, t("low")], [1, t("high")]]
    : [0, 1, 2].map((label) => [label, names[label] ?? t("classes")[label]]);
  const brush = select(
    t("brush"), String(app.brush), values.map(([value, text]) => [String(value), text]),
    (value) => (app.brush = Number(value)), "brush",
  );
  return element(
    "div.own", {},
    brush,
    element("p.hint", {}, t("ownHelp")),
    element(
      "div.buttons", {},
      button("clear", t("clear"), () => app.clearPoints()),
      button("table", t("table"), () => app.openTable()),
    ),
  );
}

/** Return the dialog in which a table is pasted. */
function makeTableDialog(app) {
  const t = app.texts;
  const text = element("textarea", {
    name: "table-text", rows: 10, spellcheck: "false", "aria-label": t("tableTitle"),
    placeholder: "x1,x2,class\n1.5,2.0,a\n0.3,1.1,b",
  });
  const problem = element("p.problem", { role: "alert" });
  const file = element("input", {
    type: "file", accept: ".csv,.tsv,.txt,text/*", "aria-label": t("tableFile"),
    onchange: async (event) => (text.value = (await event.target.files[0]?.text()) ?? ""),
  });
  const dialog = makeDialog(
    app, "table-dialog", t("tableTitle"),
    element("p", {}, t("tableHelp")), text, file, problem,
    element("div.buttons", {}, element("button.primary", {
      type: "button", name: "use-table",
      onclick: async () => {
        problem.textContent = await app.useTable(text.value);
        if (!problem.textContent) dialog.close();
      },
    }, t("tableUse"))),
  );
  return dialog;
}

/** Return the dialog with the code of the network. */
function makeCodeDialog(app) {
  const t = app.texts;
  const code = element("code");
  const note = element("p.hint");
  const tabs = ["fjax", "keras"].map((library) =>
    button(`code-${library}`, library === "fjax" ? "fjax" : "Keras", () => app.showCode(library)));
  const copy = button("copy", t("copy"), async () => {
    await navigator.clipboard.writeText(code.textContent);
    copy.textContent = t("copied");
  });
  app.codeShown = { code, note, tabs, copy };
  return makeDialog(
    app, "code-dialog", t("codeTitle"), element("div.buttons", {}, tabs, copy), note,
    element("pre", { tabindex: 0 }, code),
  );
}

function makeDialog(app, name, title, ...children) {
  const dialog = element(
    `dialog.${name}`, { "aria-label": title },
    element("div.head", {}, element("h2", {}, title), element("button", {
      type: "button", name: "close", "aria-label": app.texts("close"), onclick: () => dialog.close(),
    }, "×")),
    ...children,
  );
  return dialog;
}
