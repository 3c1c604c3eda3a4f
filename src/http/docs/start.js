const place = document.getElementById("swagger-ui");
SwaggerUIBundle({
  domNode: place,
  url: place.dataset.url,
  deepLinking: true,
  // No badge: it would ask another host.
  validatorUrl: null,
});
