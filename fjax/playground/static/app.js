// The page: what it knows, and the loop that asks Python for the next frame.

const DEFAULTS = {
  data: "circle", task: "classification", noise: 0, test_share: 0.5, data_seed: 0, features: ["x1", "x2"],
  hidden: [8], activation: "tanh", optimizer: "adam", learning_rate: 0.03, regularization: "none",
  regularization_rate: 0, batch_size: 10, seed: 0, points: [],
};
const LIVE = ["learning_rate", "regularization_rate"];
const LEAST_POINTS = 4;

/** A playground in an element. */
class App {
  /**
   * @param {HTMLElement} place The element to fill.
   * @param {Function} transport Sends a request, and returns a promise of the answer.
   * @param {Object} options The first `settings` and `language`, and `save`, which keeps them.
   */
  constructor(place, transport, { settings = {}, language, save = () => {} } = {}) {
    Object.assign(this, {
      transport, save, settings: { ...DEFAULTS, ...settings }, language: language || preferredLanguage(),
      theme: null, speed: 50, running: false, tourStep: 0, brush: 1, showsTest: false, isSharp: false,
      records: [], generation: 0, queue: Promise.resolve(), look: null, message: null, isTouched: false,
    });
    // The settings to return to if others are refused.
    this.good = DEFAULTS;
    this.root = element("div.fjax-playground");
    this.root.addEventListener("keydown", (event) => this.key(event));
    place.append(this.root);
    this.watchTheme();
    this.rebuild();
    this.start();
  }

  close() {
    this.running = false;
    this.generation += 1;
    this.watcher.disconnect();
    this.dark.removeEventListener("change", this.applyTheme);
    this.network.close();
    this.output.close();
    this.root.remove();
  }

  // Appearance

  watchTheme() {
    this.applyTheme = () => {
      this.root.dataset.theme = this.theme ?? (surroundingsAreDark() ? "dark" : "light");
      this.colors = readColors(this.root);
      if (this.output) this.drawAll();
    };
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", this.applyTheme);
    this.watcher = new MutationObserver(() => this.theme ?? this.applyTheme());
    for (const each of [document.body, document.documentElement]) {
      this.watcher.observe(each, { attributes: true, attributeFilter: ["class", "theme", "data-jp-theme-light"] });
    }
    this.applyTheme();
  }

  switchTheme() {
    this.theme = this.root.dataset.theme === "dark" ? "light" : "dark";
    this.applyTheme();
  }

  setLanguage(language) {
    this.language = language;
    this.save(this.settings, language);
    this.rebuild();
  }

  /** Make all elements for the present settings and language; the focus stays where it is. */
  rebuild() {
    const focused = this.root.contains(document.activeElement) || this.root.getRootNode() !== document
      ? this.root.getRootNode().activeElement?.getAttribute("name") : null;
    this.texts = textsOf(this.language);
    this.root.lang = this.language;
    this.network?.close();
    this.output?.close();
    this.previews = [];
    this.look = null;
    const bar = makeBar(this);
    this.network = new NetworkView(this);
    this.output = new OutputView(this);
    this.messageShown = element("p.message", { role: "status" });
    this.dialogs = { code: makeCodeDialog(this), table: makeTableDialog(this) };
    const columns = element("div.columns", {}, makeData(this), this.network.root, this.output.root);
    this.root.replaceChildren(...[
      makeTitle(this), bar, this.messageShown, this.tourStep === null ? null : makeTour(this), makeSettings(this), columns,
      element("p.hint.keys", {}, this.texts("keys")), this.dialogs.code, this.dialogs.table,
    ].filter(Boolean));
    if (this.shape && this.fits()) this.network.showOutputs(this.shape.outputs);
    this.showMessage();
    this.drawAll();
    if (focused) this.root.querySelector(`[name="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Return whether the last frame is of the network that is shown. */
  fits() {
    const { settings } = this.shape ?? {};
    return settings && ["hidden", "features"].every((name) => String(settings[name]) === String(this.settings[name]));
  }

  drawAll() {
    this.previews.forEach(([canvas, name]) => canvas.isConnected && drawPreview(canvas, name, this.colors));
    this.showRun();
    if (!this.frame || !this.fits()) return;
    this.network.layout();
    this.draw();
    this.output.drawPoints();
  }

  draw() {
    this.output.draw();
    this.network.draw();
    this.output.drawCurve();
    this.showRun();
  }

  showRun() {
    this.playButton.textContent = this.running ? `❚❚ ${this.texts("pause")}` : `▶ ${this.texts("play")}`;
    this.epochShown.textContent = (this.frame?.epoch ?? 0).toLocaleString(this.language);
    this.speedShown.textContent = this.running && this.rate ? this.texts("rate", this.rate)
      : this.isPreparing ? this.texts("preparing") : "";
  }

  set(name, value) {
    this[name] = value;
    this.drawAll();
  }

  lookAt(unit) {
    this.look = unit;
    if (this.frame && this.fits()) this.output.draw();
  }

  /** Show one sentence, until the next one or the next change. */
  say(key, values = {}) {
    this.message = key && { key, values };
    this.showMessage();
  }

  showMessage() {
    const { key, values } = this.message ?? {};
    this.messageShown.textContent = key ? this.texts(key, this.named(values)) : "";
    this.messageShown.hidden = !key;
  }

  /** Return the values of a message with the names that the page shows. */
  named(values) {
    const { name, data, task } = values;
    return { ...values, ...(name && { name: this.texts(name) }), ...(data && { data: this.texts(`data_${data}`) }),
      ...(task && { task: this.texts(`task_${task}`) }) };
  }

  // Requests

  /** Send a request after those before it; return null if the run has changed or it failed. */
  async ask(request) {
    const { generation } = this;
    const answer = this.queue.then(() => (generation === this.generation ? this.transport(request) : null));
    this.queue = answer.catch(() => null);
    try {
      const result = await answer;
      if (result === null || generation !== this.generation) return null;
      const { error, pages } = result.header;
      if (error) {
        if (error.code === "no_session" && request.kind !== "start") {
          this.say("restarted");
          this.start();
        } else this.say(`errors.${error.code}`, error.values);
        return null;
      }
      if (pages > 1) this.say("shared", { pages });
      else if (this.message?.key === "shared") this.say(null);
      return result;
    } catch {
      this.running = false;
      this.say("stopped");
      this.showRun();
      return null;
    }
  }

  /** Begin a run with the present settings. */
  async start() {
    clearTimeout(this.idle);
    this.generation += 1;
    const { generation, settings } = this;
    const before = { records: this.records, firstTestLoss: this.firstTestLoss };
    Object.assign(this, { isDrawing: false, isPreparing: true, records: [], firstTestLoss: null, rate: null });
    this.output.drawCurve();
    this.showRun();
    const answer = await this.ask({ kind: "start", settings });
    if (generation !== this.generation) return;
    this.isPreparing = false;
    if (answer === null) {
      Object.assign(this, before);
      // The settings were refused: those of the last run are shown again.
      this.running = false;
      this.settings = this.good;
      this.rebuild();
      if (!this.shape && settings !== this.good) this.start();
      return;
    }
    this.good = this.settings;
    this.shape = answer.header;
    this.frame = frameOf(answer, this.shape);
    this.features = this.frame.features;
    this.isTouched = false;
    this.network.showOutputs(this.shape.outputs);
    this.drawAll();
    this.save(settings, this.language);
    if (this.running) this.run();
    // The programs are compiled while the user looks at the network.
    else this.idle = setTimeout(() => this.prepare(), 250);
  }

  async prepare() {
    this.isPreparing = true;
    this.showRun();
    const answer = await this.ask({ kind: "prepare" });
    this.isPreparing = false;
    if (answer) this.firstTestLoss = answer.header.testLoss;
    this.output.drawCurve();
    this.showRun();
  }

  toggle() {
    if (this.isDrawing && !this.canStart()) {
      return this.say("errors.few_points", { received: this.settings.points.length });
    }
    if (this.isDrawing) {
      // Points were drawn a moment ago, and the run has not begun yet.
      clearTimeout(this.drawn);
      this.running = true;
      this.start();
      return undefined;
    }
    this.running = !this.running;
    this.showRun();
    if (this.running) this.run();
    return undefined;
  }

  async trainOneEpoch() {
    this.running = false;
    const answer = await this.ask({ kind: "advance", steps: 1 });
    if (answer) this.show(answer);
  }

  reset() {
    this.running = false;
    this.say(null);
    if (!this.isDrawing) this.start();
  }

  /** Ask for frames and draw them, until the user pauses; the next one is computed meanwhile. */
  async run() {
    const { generation } = this;
    if (this.looping === generation) return;
    this.looping = generation;
    let pending = this.ask({ kind: "advance", steps: this.speed });
    const times = [];
    while (this.running && generation === this.generation) {
      const answer = await pending;
      if (answer === null || !this.running) break;
      pending = this.ask({ kind: "advance", steps: this.speed });
      times.push([performance.now(), answer.header.epoch]);
      this.measure(times);
      this.show(answer);
      await new Promise(requestAnimationFrame);
    }
    const last = await pending;
    if (last && generation === this.generation) this.show(last);
    if (this.looping === generation) this.looping = null;
    // The user may have pressed play while the last frame was computed.
    if (this.running && generation === this.generation && last) this.run();
  }

  measure(times) {
    while (times.length > 2 && times.at(-1)[0] - times[0][0] > 1000) times.shift();
    const seconds = (times.at(-1)[0] - times[0][0]) / 1000;
    if (seconds < 0.2) return;
    const epochs = times.at(-1)[1] - times[0][1];
    this.rate = {
      fps: Math.round((times.length - 1) / seconds),
      steps: Math.round((epochs * this.shape.stepsPerEpoch) / seconds).toLocaleString(this.language),
    };
  }

  show(answer) {
    this.frame = frameOf(answer, this.shape);
    this.records.push(...(answer.header.records ?? []));
    if (!answer.header.finite) {
      this.running = false;
      this.say("diverged");
    }
    if (this.fits()) this.draw();
  }

  // Changes

  /** Change settings: the two rates in the run, others by a new one. */
  change(changes) {
    this.say(null);
    const penalty = changes.regularization && changes.regularization !== "none";
    if (penalty && !this.settings.regularization_rate) changes = { ...changes, regularization_rate: 0.01 };
    this.settings = { ...this.settings, ...changes };
    if (Object.keys(changes).every((name) => LIVE.includes(name)) && this.frame) {
      this.setRates();
      return;
    }
    if (changes.task && !DATA_OF_TASK[changes.task].includes(this.settings.data)) {
      this.settings.data = DATA_OF_TASK[changes.task][0];
    }
    if (changes.task && this.settings.data === "own") this.settings.points = [];
    if (!this.canStart()) {
      this.running = false;
      this.isDrawing = true;
      this.generation += 1;
      this.rebuild();
      return;
    }
    this.start();
    this.rebuild();
  }

  async setRates() {
    const { learning_rate, regularization_rate } = this.settings;
    this.isTouched ||= this.frame.epoch > 0;
    if (await this.ask({ kind: "rates", learning_rate, regularization_rate })) {
      this.good = this.settings;
      this.save(this.settings, this.language);
    }
  }

  async setWeight(index, value) {
    const answer = await this.ask({ kind: "weight", index, value });
    if (answer) {
      this.isTouched = true;
      this.show(answer);
    }
  }

  showTourStep(settings) {
    this.running = true;
    this.change(settings);
  }

  openTour() {
    this.tourStep = 0;
    this.rebuild();
  }

  // The user's own points

  /** Return whether there are enough points: four, and of two classes in a classification. */
  canStart() {
    const { data, task, points } = this.settings;
    if (data !== "own") return true;
    const labels = new Set(points.map((point) => point[2]));
    return points.length >= LEAST_POINTS && (task === "regression" || labels.size > 1);
  }

  /** Choose a data set; the user's own begins with the points that are shown. */
  chooseData(data) {
    if (data !== "own") this.ownNames = null;
    const shown = this.shape ? [...this.shape.training, ...this.shape.test] : [];
    const points = data !== "own" ? [] : this.settings.points.length ? this.settings.points : shown;
    this.change({ data, points });
  }

  addPoint(x1, x2) {
    if (this.settings.points.length >= 2000) return;
    const point = [x1, x2, this.brush].map((each) => Math.round(each * 100) / 100);
    this.settings = { ...this.settings, points: [...this.settings.points, point] };
    this.isDrawing = true;
    this.output.drawPoints();
    clearTimeout(this.drawn);
    this.drawn = setTimeout(() => this.canStart() && this.start(), 400);
  }

  clearPoints() {
    this.ownNames = null;
    this.change({ points: [] });
    this.output.drawPoints();
  }

  openTable() {
    this.dialogs.table.showModal();
  }

  /** Use a table as data; return a sentence about what is wrong with it, or an empty text. */
  async useTable(text) {
    const { header } = await this.transport({ kind: "table", text });
    if (header.error) return this.texts(`errors.${header.error.code}`, this.named(header.error.values));
    const { points, task, names } = header;
    this.ownNames = names;
    this.change({ data: "own", task, points });
    this.say("tableLoaded", { count: points.length, x1: names[0], x2: names[1] });
    return "";
  }

  // The code

  async showCode(library = "fjax") {
    const answer = await this.ask({ kind: "code" });
    if (!answer) return;
    const { code, note, tabs, copy } = this.codeShown;
    code.textContent = answer.header[library];
    copy.textContent = this.texts("copy");
    const same = this.isTouched ? "codeChanged" : "codeSame";
    note.textContent = this.texts(library === "fjax" ? same : "codeKeras");
    tabs.forEach((tab) => tab.setAttribute("aria-pressed", String(tab.name === `code-${library}`)));
    if (!this.dialogs.code.open) this.dialogs.code.showModal();
  }

  // The keyboard

  key(event) {
    const { tagName, type } = event.composedPath()[0];
    const types = tagName === "TEXTAREA" || tagName === "SELECT" || (tagName === "INPUT" && type !== "checkbox");
    if (types || event.ctrlKey || event.metaKey || event.altKey || this.root.querySelector("dialog[open]")) return;
    // Space presses the button that has the focus.
    const action = { " ": tagName === "BUTTON" || tagName === "INPUT" ? null : () => this.toggle(),
      e: () => this.trainOneEpoch(), r: () => this.reset() }[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }
}
