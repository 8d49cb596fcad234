// Show the API's description with Swagger UI, which sends its requests with the log-in of this browser.
const place = document.getElementById("reference");

globalThis.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.url,
  validatorUrl: null,
  deepLinking: true,
  docExpansion: "none",
  displayRequestDuration: true,
  persistAuthorization: false,
});
