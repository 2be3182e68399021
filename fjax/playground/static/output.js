// The output: the large picture with the points, and the losses.

/** The section with the large picture, in which the user may also draw points. */
class OutputView {
  constructor(app) {
    this.app = app;
    const t = app.texts;
    const draws = app.settings.data === "own";
    this.surface = element("canvas.surface");
    this.points = element("canvas.points", {
      role: "img", tabindex: draws ? 0 : null, name: "plane", "aria-label": t("planeOutput"),
      onpointerdown: (event) => this.press(event), onpointermove: (event) => this.move(event),
      onkeydown: (event) => this.key(event),
    });
    if (draws) this.points.classList.add("draws");
    this.cursor = null;
    this.caption = element("p.hint", {}, t("legend"));
    this.curve = element("canvas.curve", { role: "img", "aria-label": t("loss") });
    this.numbers = {};
    const cell = (name) => (this.numbers[name] = element("td", { "data-number": name }, "–"));
    const hasAccuracy = app.settings.task === "classification";
    const row = (text, name, key) => element(
      "tr", {}, element("th", { scope: "row" }, element(`i.${key}`), text), cell(name),
      hasAccuracy ? cell(`${name}Accuracy`) : null,
    );
    this.root = element(
      "section.output", { "aria-label": t("output") },
      element("div.head", {}, element("h2", {}, t("output"))),
      element("div.plane", {}, this.surface, this.points),
      element("table", {},
        element("thead", {}, element("tr", {}, element("td"), element("th", { scope: "col" }, t("loss")),
          hasAccuracy ? element("th", { scope: "col" }, t("accuracy")) : null)),
        element("tbody", {}, row(t("training"), "loss", "training"), row(t("test"), "testLoss", "test"))),
      this.curve,
      element("div.checks", {},
        checkbox(t("showTest"), app.showsTest, (value) => app.set("showsTest", value), "show-test"),
        checkbox(t("sharp"), app.isSharp, (value) => app.set("isSharp", value), "sharp")),
      this.caption,
    );
    this.observer = new ResizeObserver(() => { this.drawPoints(); this.drawCurve(); });
    this.observer.observe(this.root);
  }

  close() {
    this.observer.disconnect();
  }

  /** Draw a frame: the output of the network, or the unit that the user looks at. */
  draw() {
    const { frame, shape, colors, isSharp, look, texts: t } = this.app;
    let caption = t("legend");
    if (look && shape.settings.hidden[look.layer] > look.unit) {
      const before = shape.settings.hidden.slice(0, look.layer).reduce((sum, each) => sum + each, 0);
      drawSurface(this.surface, frame.units[before + look.unit], shape.unitSize, colors.pale, isSharp);
      caption = t("planeUnit", { unit: t("unitLabel", { layer: look.layer + 1, unit: look.unit + 1 }) });
    } else if (shape.outputs > 1) {
      // The bytes of a probability p are those of 2 p - 1.
      drawClasses(this.surface, frame.outputs, shape.size, colors, isSharp);
    } else {
      drawSurface(this.surface, frame.outputs[0], shape.size, colors.pale, isSharp);
    }
    if (this.caption.textContent !== caption) this.caption.textContent = caption;
  }

  drawPoints() {
    const { app } = this;
    if (!app.shape || !this.points.isConnected) return;
    const isOwn = app.settings.data === "own";
    const training = isOwn && app.isDrawing ? app.settings.points : app.shape.training;
    const test = app.showsTest && !app.isDrawing ? app.shape.test : [];
    const classes = app.settings.task === "classification";
    drawPoints(this.points, training, test, { classes, extent: app.shape.extent }, app.colors);
    if (this.cursor) {
      const { context, width } = { context: this.points.getContext("2d"), width: this.points.clientWidth };
      context.strokeStyle = app.colors.text;
      context.lineWidth = 2;
      const [x, y] = this.cursor.map((each, axis) => ((axis ? -each : each) / (2 * app.shape.extent) + 0.5) * width);
      context.strokeRect(x - 7, y - 7, 14, 14);
    }
  }

  drawCurve() {
    const { app } = this;
    if (!this.curve.isConnected) return;
    drawCurve(this.curve, app.records, app.colors);
    const [, loss, testLoss, accuracy, testAccuracy] = app.records.at(-1) ?? [];
    const shown = { loss, testLoss: testLoss ?? (app.records.length ? null : app.firstTestLoss) };
    for (const [name, value] of Object.entries(shown)) this.numbers[name].textContent = short(value);
    if (this.numbers.lossAccuracy) {
      const text = (value) => (value == null ? "–" : percent(value));
      this.numbers.lossAccuracy.textContent = text(accuracy);
      this.numbers.testLossAccuracy.textContent = text(testAccuracy);
    }
  }

  place(event) {
    const box = this.points.getBoundingClientRect();
    const { extent } = this.app.shape;
    return [((event.clientX - box.left) / box.width - 0.5) * 2 * extent,
      (0.5 - (event.clientY - box.top) / box.height) * 2 * extent];
  }

  press(event) {
    if (this.app.settings.data !== "own") return;
    this.points.setPointerCapture?.(event.pointerId);
    this.last = this.place(event);
    this.app.addPoint(...this.last);
  }

  move(event) {
    if (this.app.settings.data !== "own" || !event.buttons || !this.last) return;
    const here = this.place(event);
    if (Math.hypot(here[0] - this.last[0], here[1] - this.last[1]) < 0.4) return;
    this.last = here;
    this.app.addPoint(...here);
  }

  key(event) {
    if (this.app.settings.data !== "own") return;
    const by = { ArrowLeft: [-0.25, 0], ArrowRight: [0.25, 0], ArrowUp: [0, 0.25], ArrowDown: [0, -0.25] }[event.key];
    if (by) {
      const limit = this.app.shape.extent - 0.25;
      this.cursor = (this.cursor ?? [0, 0]).map((each, axis) => Math.max(-limit, Math.min(limit, each + by[axis])));
      this.drawPoints();
    } else if (event.key === "Enter") {
      this.cursor ??= [0, 0];
      this.app.addPoint(...this.cursor);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
