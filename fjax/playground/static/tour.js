// The tour: five networks, each with one thing to see.

const TOUR = [
  { data: "circle", hidden: [], noise: 0 },
  { data: "circle", hidden: [3], noise: 0 },
  { data: "circle", hidden: [3], noise: 0 },
  { data: "spiral", hidden: [8, 8], noise: 0 },
  { data: "gauss", hidden: [16, 16], noise: 0.5, test_share: 0.9 },
].map((settings) => ({
  task: "classification", features: ["x1", "x2"], activation: "tanh", optimizer: "adam", learning_rate: 0.03,
  regularization: "none", regularization_rate: 0, batch_size: 10, test_share: 0.5, ...settings,
}));

/** Return the card of the present step of the tour. */
function makeTour(app) {
  const t = app.texts;
  const number = app.tourStep;
  const step = t("tourSteps")[number];
  const go = (to) => () => {
    app.tourStep = to;
    app.rebuild();
    app.root.querySelector("button[name=tour-show]")?.focus();
  };
  return element(
    "section.tour", { "aria-label": t("tour") },
    element("div", {},
      element("h2", {}, element("small", {}, `${t("tour")} ${number + 1}/${TOUR.length}`), " ", step.title),
      element("p", {}, step.text)),
    element(
      "div.buttons", {},
      button("tour-show", t("tourShow"), () => app.showTourStep(TOUR[number]), { class: "primary" }),
      button("tour-back", t("tourBack"), go(number - 1), { disabled: number === 0 }),
      button("tour-next", t("tourNext"), go(number + 1), { disabled: number === TOUR.length - 1 }),
      button("tour-close", t("tourClose"), go(null)),
    ),
  );
}
