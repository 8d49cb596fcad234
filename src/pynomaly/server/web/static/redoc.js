// Show the API's description with Redoc; the nonce lets the style sheets in that it makes, and no others.
const place = document.getElementById("reference");
const options = {
  nonce: place.dataset.nonce,
  disableSearch: true, // it would run a script from a blob: address
  hideDownloadButton: false,
  sortOperationsAlphabetically: false,
  theme: { typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } },
};

globalThis.Redoc.init(place.dataset.url, options, place);
