"use strict";
(() => {
  const coarse = window.matchMedia("(pointer: coarse)").matches;
  const options = { responsive: true, displayModeBar: false, doubleClick: "reset" };
  const plots = [...document.querySelectorAll(".plot")];
  const keys = [...document.querySelectorAll(".key")];
  const labels = [...new Set(keys.map((key) => key.dataset.label))];
  const hidden = new Set();

  const draw = async (place) => {
    const { data, layout } = JSON.parse(place.nextElementSibling.textContent);
    // A finger on a plot must scroll the page, not zoom the plot.
    await Plotly.newPlot(place, data, { ...layout, dragmode: coarse ? false : "zoom" }, options);
    place.on("plotly_afterplot", () => scaleForPrint(place));
    scaleForPrint(place);
  };

  // A view box lets the style sheet scale a drawn plot to the width of the paper.
  const scaleForPrint = (place) => {
    const { width, height } = place._fullLayout;
    place.style.setProperty("--shape", `${width} / ${height}`);
    for (const svg of place.querySelectorAll(".main-svg")) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  };

  const show = () => {
    for (const key of keys) key.setAttribute("aria-pressed", String(!hidden.has(key.dataset.label)));
    for (const place of plots.filter((plot) => plot.data)) {
      if (!place.closest(".figure").querySelector(".key")) continue;
      Plotly.restyle(place, { visible: place.data.map((trace) => !hidden.has(trace.meta)) });
    }
  };

  const toggle = (label) => {
    if (!hidden.delete(label)) hidden.add(label);
    show();
  };

  const isolate = (label) => {
    const alone = hidden.size === labels.length - 1 && !hidden.has(label);
    hidden.clear();
    if (!alone) for (const other of labels) if (other !== label) hidden.add(other);
    show();
  };

  // Which trace an element shows is known to plotly alone; where it does not say, nothing is dimmed.
  const emphasise = (figure, label) => {
    for (const trace of figure.querySelectorAll(".scatterlayer .trace")) {
      const shown = trace.__data__?.[0]?.trace?.meta;
      trace.classList.toggle("dim", label !== null && shown !== undefined && shown !== label);
    }
  };

  for (const key of keys) {
    let waiting = 0;
    const figure = key.closest(".figure");
    key.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && emphasise(figure, key.dataset.label));
    key.addEventListener("pointerleave", () => emphasise(figure, null));
    key.addEventListener("click", () => {
      if (waiting) {
        clearTimeout(waiting);
        waiting = 0;
        isolate(key.dataset.label);
        return;
      }
      waiting = setTimeout(() => { waiting = 0; toggle(key.dataset.label); }, 260);
    });
  }

  for (const button of document.querySelectorAll(".results thead button")) {
    button.addEventListener("click", () => {
      const head = button.parentElement;
      const rows = head.closest("table").tBodies[0];
      const down = head.getAttribute("aria-sort") !== "descending";
      const place = head.cellIndex;
      const value = (row) => Number(row.cells[place].dataset.value ?? (down ? -Infinity : Infinity));
      for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sorted = [...rows.rows].sort((a, b) => (down ? value(b) - value(a) : value(a) - value(b)));
      rows.append(...sorted);
    });
  }

  window.addEventListener("beforeprint", () => {
    for (const closed of document.querySelectorAll("details")) closed.open = true;
  });

  // One after another, with pauses in which the browser can show what is there and answer the reader.
  (async () => {
    for (const place of plots) {
      await draw(place);
      await new Promise((resume) => setTimeout(resume));
    }
    document.body.dataset.drawn = String(plots.length);
  })();
})();
