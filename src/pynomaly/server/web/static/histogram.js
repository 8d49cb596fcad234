// Draw the score histogram with Chart.js over the picture that the server drew.
const frame = document.querySelector("[data-histogram]");
const data = JSON.parse(document.getElementById("scores-data").textContent);
const probe = frame.appendChild(document.createElement("span")); // a colour may differ with the theme
const token = (name) => {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
};
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

const threshold = {
  id: "threshold",
  afterDatasetsDraw({ ctx, chartArea: area }) {
    if (data.cut === null) return;
    const x = area.left + (area.width * data.cut) / 100;
    const align = data.cut > 66 ? "right" : data.cut < 33 ? "left" : "center";
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = token("--anomaly-ink");
    ctx.lineWidth = 1.5;
    ctx.setLineDash([5, 4]);
    ctx.beginPath();
    ctx.moveTo(x, area.top);
    ctx.lineTo(x, area.bottom);
    ctx.stroke();
    ctx.font = `600 12px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textAlign = align;
    ctx.fillText(`threshold ${data.threshold}`, x, area.top - 7);
    ctx.restore();
  },
};

const isPower = (value) => Number.isInteger(Math.log10(value));
const ticks = { color: () => token("--ink-soft"), font: { size: 12 } };
const canvas = document.createElement("canvas");
canvas.setAttribute("aria-hidden", "true"); // the picture beneath keeps its name, and the table its numbers
const box = document.createElement("div"); // Chart.js leaves the padding of its parent free: this one has none
box.append(canvas);
frame.append(box);
const chart = new window.Chart(canvas, {
  type: "bar",
  data: {
    labels: data.labels,
    datasets: [
      {
        label: "Rows",
        data: data.counts,
        backgroundColor: ({ dataIndex }) => token(data.anomalous[dataIndex] ? "--anomaly" : "--bar"),
        barPercentage: 1,
        categoryPercentage: 0.95,
      },
    ],
  },
  options: {
    animation: still ? false : { duration: 200 },
    maintainAspectRatio: false,
    layout: { padding: { top: 22, right: 8 } },
    plugins: { legend: { display: false } },
    scales: {
      x: {
        grid: { display: false },
        ticks: { ...ticks, maxTicksLimit: 6, maxRotation: 0, callback: (place) => data.starts[place] },
      },
      y: {
        type: "logarithmic",
        min: 0.5,
        grid: { color: () => token("--line") },
        ticks: { ...ticks, callback: (value) => (isPower(value) ? value.toLocaleString("en") : "") },
      },
    },
  },
  plugins: [threshold],
});
frame.classList.add("drawn");
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart.update("none"));
