"use strict";

const records = JSON.parse(document.getElementById("records").textContent);
const { plots, config, data } = JSON.parse(document.getElementById("plots").textContent);

for (const [name, spec] of Object.entries(plots)) {
  // Marks are told to screen readers one by one; the plot as a whole by its description.
  vegaEmbed(
    document.getElementById(name),
    { ...spec, datasets: { ...spec.datasets, [data]: records[name] } },
    { mode: "vega-lite", renderer: "svg", actions: false, config },
  ).catch((error) => {
    document.getElementById(name).textContent = `This plot can't be drawn: ${error}`;
    console.error(error);
  });
}

// Tables sort as the ARIA Authoring Practices' sortable table does: a button in each heading.
const valueOf = (row, column, isNumber) => {
  const text = row.cells[column].textContent.trim();
  if (!isNumber) return text;
  const number = parseFloat(text.replaceAll(",", ""));
  return Number.isNaN(number) ? "" : number;
};

const compare = (one, other) =>
  typeof one === "number" ? one - other : one.localeCompare(other, "en", { numeric: true });

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const column = head.cellIndex;
    const isNumber = head.classList.contains("number");
    const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    const body = head.closest("table").tBodies[0];
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const rows = [...body.rows].map((row) => ({ row, value: valueOf(row, column, isNumber) }));
    // A cell that says nothing, or no number among numbers, stays below, whichever way it goes.
    rows.sort((one, other) =>
      (one.value === "") - (other.value === "") ||
      (order === "ascending" ? 1 : -1) * compare(one.value, other.value));
    body.append(...rows.map(({ row }) => row));
    document.getElementById("status").textContent = `Sorted by ${button.textContent}, ${order}`;
  });
}

const asCsv = (rows) => {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return lines.map((line) => line.map(cell).join(",") + "\n").join("");
};

for (const button of document.querySelectorAll("[data-download]")) {
  button.addEventListener("click", () => {
    const { download: kind, records: name } = button.dataset;
    const found = name ? records[name] : records;
    const text = kind === "csv" ? asCsv(found) : JSON.stringify(found, null, 1) + "\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: kind === "csv" ? "text/csv" : "application/json" }));
    link.download = `keras-bench-${name || "all"}.${kind}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
