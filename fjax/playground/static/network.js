// The network: features, hidden layers and outputs as columns, and the weights as lines.

const FEATURE_NAMES = {
  x1: "x₁", x2: "x₂", "x1^2": "x₁²", "x2^2": "x₂²", "x1*x2": "x₁x₂", "sin(x1)": "sin x₁", "sin(x2)": "sin x₂",
};

/** The most lines that are drawn smoothly on two cores; above, thin ones are left out. */
const MOST_LINES = 700;

/**
 * The view of the network.
 *
 * `app` has the settings, the texts and the last frame, and is told what the user changes.
 */
class NetworkView {
  constructor(app) {
    this.app = app;
    const t = app.texts;
    this.lines = element("canvas.lines", { "aria-hidden": "true" });
    this.columns = element("div.layers");
    this.details = element("div.details", { "aria-live": "polite" });
    const scroll = element("div.scroll", {}, element("div.net", {}, this.lines, this.columns));
    this.root = element(
      "section.network", { "aria-label": t("network") },
      element("div.head", {}, element("h2", {}, t("network")), this.layerButtons()),
      scroll, this.details,
    );
    this.build();
    this.observer = new ResizeObserver(() => this.layout());
    this.observer.observe(this.columns);
  }

  close() {
    this.observer.disconnect();
  }

  layerButtons() {
    const { texts: t, settings } = this.app;
    const count = settings.hidden.length;
    const change = (hidden) => this.app.change({ hidden });
    return element(
      "div.stepper", { role: "group", "aria-label": t("layers") },
      element("button", {
        type: "button", name: "remove-layer", "aria-label": t("removeLayer"), title: t("removeLayer"),
        disabled: count === 0, onclick: () => change(settings.hidden.slice(0, -1)),
      }, "−"),
      element("span", {}, `${t("layers")} ${count}`),
      element("button", {
        type: "button", name: "add-layer", "aria-label": t("addLayer"),
        title: count < 8 ? t("addLayer") : t("limitLayers"),
        onclick: () => (count < 8 ? change([...settings.hidden, settings.hidden.at(-1) ?? 4])
          : this.app.say("limitLayers")),
      }, "+"),
    );
  }

  /** Make the columns for the present settings. */
  build() {
    const { texts: t, settings } = this.app;
    this.units = [];
    this.features = new Map();
    const features = Object.entries(FEATURE_NAMES).map(([name, shown]) => this.feature(name, shown));
    const hidden = settings.hidden.map((count, layer) => {
      const units = Array.from({ length: count }, (_, unit) => this.unit(layer, unit));
      this.units.push(units);
      return element("div.column", {}, this.unitButtons(layer, count), units.map((each) => each.button));
    });
    this.outputs = element("div.column.outputs", {}, element("div.top", {}, t("output")));
    this.columns.replaceChildren(
      element("div.column.features", {}, element("div.top", {}, t("features")), features),
      ...hidden, this.outputs,
    );
    this.selected = null;
    this.showDetails();
  }

  feature(name, shown) {
    const { settings } = this.app;
    const on = settings.features.includes(name);
    const canvas = element("canvas");
    const button = element("button.unit.feature", {
      type: "button", name: `feature-${name}`, "aria-pressed": String(on), title: shown,
      onclick: () => {
        const chosen = on ? settings.features.filter((each) => each !== name) : [...settings.features, name];
        this.app.change({ features: Object.keys(FEATURE_NAMES).filter((each) => chosen.includes(each)) });
      },
    }, element("span", {}, shown), canvas);
    this.features.set(name, { button, canvas });
    return button;
  }

  unitButtons(layer, count) {
    const { texts: t, settings } = this.app;
    const change = (by) => {
      const hidden = settings.hidden.map((each, index) => (index === layer ? each + by : each));
      this.app.change({ hidden });
    };
    const number = { layer: layer + 1 };
    return element(
      "div.top.stepper", { role: "group", "aria-label": t("units", { count }) },
      element("button", {
        type: "button", name: `remove-unit-${layer}`, "aria-label": t("removeUnit", number),
        title: t("removeUnit", number), disabled: count === 1, onclick: () => change(-1),
      }, "−"),
      element("span", {}, String(count)),
      element("button", {
        type: "button", name: `add-unit-${layer}`, "aria-label": t("addUnit", number),
        title: count < 16 ? t("addUnit", number) : t("limitUnits"),
        onclick: () => (count < 16 ? change(1) : this.app.say("limitUnits")),
      }, "+"),
    );
  }

  unit(layer, unit) {
    const label = this.app.texts("unitLabel", { layer: layer + 1, unit: unit + 1 });
    const canvas = element("canvas");
    const look = (on) => this.app.lookAt(on ? { layer, unit } : null);
    const button = element("button.unit", {
      type: "button", name: `unit-${layer}-${unit}`, "aria-label": label, title: label, "aria-pressed": "false",
      onmouseenter: () => look(true), onmouseleave: () => look(false),
      onfocus: () => look(true), onblur: () => look(false),
      onclick: () => this.select(layer, unit),
    }, canvas);
    return { button, canvas };
  }

  /** Make the units of the output, whose number is known from the first answer. */
  showOutputs(count) {
    const t = this.app.texts;
    const layer = this.app.settings.hidden.length;
    const units = Array.from({ length: count }, (_, unit) => {
      const label = count === 1 ? t("outputLabel") : t("outputLabelNumber", { unit: unit + 1 });
      const canvas = element("canvas");
      const button = element("button.unit", {
        type: "button", name: `unit-${layer}-${unit}`, "aria-label": label, title: label,
        "aria-pressed": "false", onclick: () => this.select(layer, unit),
      }, canvas);
      return { button, canvas };
    });
    this.units[layer] = units;
    this.outputs.replaceChildren(this.outputs.firstChild, ...units.map((each) => each.button));
    this.layout();
  }

  /** Select a unit, whose weights are listed; selecting it again ends that. */
  select(layer, unit) {
    const again = this.selected?.layer === layer && this.selected?.unit === unit;
    this.selected = again ? null : { layer, unit };
    this.units.flat().forEach((each) => each.button.setAttribute("aria-pressed", "false"));
    if (!again) this.units[layer][unit].button.setAttribute("aria-pressed", "true");
    this.showDetails();
    this.drawLines();
  }

  /** The sizes of all layers, features first. */
  sizes() {
    const { shape } = this.app;
    const { settings } = shape;
    return [settings.features.length, ...settings.hidden, shape.outputs];
  }

  /** Return the number of the first weight of a layer, and the numbers of units before and in it. */
  weightsOf(layer) {
    const sizes = this.sizes();
    let start = 0;
    for (let each = 0; each < layer; each += 1) start += (sizes[each] + 1) * sizes[each + 1];
    return { start, inputs: sizes[layer], units: sizes[layer + 1] };
  }

  /** The names of the units of a layer, as a formula has them; those of layer -1 are the features. */
  namesOf(layer) {
    const { settings } = this.app.shape;
    if (layer < 0) return settings.features.map((each) => FEATURE_NAMES[each]);
    return settings.hidden.slice(layer, layer + 1).flatMap((count) =>
      Array.from({ length: count }, (_, unit) => `h${subscript(layer + 1)}‚${subscript(unit + 1)}`));
  }

  /** List the weights of the selected unit, to read and to change. */
  showDetails() {
    const { texts: t, frame, shape } = this.app;
    if (!this.selected || !frame) {
      this.details.replaceChildren(element("p.hint", {}, t("unitHelp")));
      this.inputs = [];
      return;
    }
    const { layer, unit } = this.selected;
    const { start, inputs, units } = this.weightsOf(layer);
    const isOutput = layer === shape.settings.hidden.length;
    const activation = isOutput ? shape.outputActivation ?? "linear" : shape.settings.activation;
    const label = this.units[layer][unit].button.getAttribute("aria-label");
    const key = activation === "linear" ? "unitFormulaPlain" : "unitFormula";
    const terms = [...this.namesOf(layer - 1).map((name, input) => [name, start + input * units + unit]),
      [t("bias"), start + inputs * units + unit]];
    this.inputs = terms.map(([name, index]) => {
      const input = element("input", {
        type: "number", step: 0.1, "data-index": index, value: frame.weights[index].toFixed(2),
        onchange: (event) => this.app.setWeight(index, Number(event.target.value)),
      });
      return { index, input, row: element("label", {}, element("span", {}, name), input) };
    });
    this.details.replaceChildren(
      element("p", {}, t(key, { unit: label, activation })),
      element("div.terms", {}, this.inputs.map((each) => each.row)),
    );
  }

  /** Draw a frame. */
  draw() {
    const { app } = this;
    const { frame, shape, colors } = app;
    let index = 0;
    for (const [layer, units] of this.units.entries()) {
      const isOutput = layer === shape.settings.hidden.length;
      units.forEach(({ canvas }, unit) => {
        if (isOutput) drawSurface(canvas, frame.outputs[unit], shape.size, colors.ramp);
        else drawSurface(canvas, frame.units[index++], shape.unitSize, colors.ramp);
      });
    }
    app.features.forEach((plane, number) => {
      const { canvas } = this.features.get(shape.settings.features[number]);
      drawSurface(canvas, plane, shape.unitSize, colors.ramp);
    });
    for (const { index: weight, input } of this.inputs) {
      if (document.activeElement !== input && input.getRootNode().activeElement !== input) {
        input.value = frame.weights[weight].toFixed(2);
      }
    }
    this.drawLines();
  }

  /** Find where the units are, and draw the lines anew. */
  layout() {
    const { shape } = this.app;
    if (!shape || !this.columns.isConnected) return;
    const box = this.columns.getBoundingClientRect();
    const center = ({ button }) => {
      const { left, right, top, height } = button.getBoundingClientRect();
      return { left: left - box.left, right: right - box.left, y: top - box.top + height / 2 };
    };
    const features = shape.settings.features.map((name) => center(this.features.get(name)));
    this.places = [features, ...this.units.map((units) => units.map(center))];
    this.lines.style.width = `${box.width}px`;
    this.lines.style.height = `${box.height}px`;
    this.sharp = sharpContext(this.lines);
    this.drawLines();
  }

  /** Draw the weights as lines: the width is their size, the color their sign. */
  drawLines() {
    const { frame, colors } = this.app;
    if (!frame || !this.places || !this.sharp) return;
    const { context, width, height } = this.sharp;
    context.clearRect(0, 0, width, height);
    context.lineCap = "round";
    const least = frame.weights.length > MOST_LINES ? 0.15 : 0;
    for (let layer = 0; layer + 1 < this.places.length; layer += 1) {
      const { start, inputs, units } = this.weightsOf(layer);
      if (this.places[layer].length !== inputs || this.places[layer + 1].length !== units) return;
      for (let input = 0; input < inputs; input += 1) {
        for (let unit = 0; unit < units; unit += 1) {
          const weight = frame.weights[start + input * units + unit];
          const size = Math.min(Math.abs(weight), 6);
          if (size < least) continue;
          const chosen = this.selected?.layer === layer && this.selected?.unit === unit;
          const from = this.places[layer][input];
          const to = this.places[layer + 1][unit];
          const middle = (from.right + to.left) / 2;
          context.beginPath();
          context.moveTo(from.right, from.y);
          context.bezierCurveTo(middle, from.y, middle, to.y, to.left, to.y);
          context.strokeStyle = colors.classes[weight < 0 ? 0 : 1];
          context.globalAlpha = chosen ? 1 : this.selected ? 0.25 : 0.3 + 0.6 * Math.min(1, size / 2);
          context.lineWidth = 0.5 + 0.9 * size;
          context.stroke();
        }
      }
    }
    context.globalAlpha = 1;
  }
}

function subscript(number) {
  return String(number).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
}
