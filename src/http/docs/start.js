const place = document.getElementById("swagger-ui");
// The list of documents and the field for the token are absent from pages that need none.
const api = document.getElementById("api");
const token = document.getElementById("token");
const TOKEN_KEY = "token";

// A browser keeps the choice of a list when the page is reloaded.
const url = () => (api ? api.value : place.dataset.url);

const ui = SwaggerUIBundle({
  domNode: place,
  url: url(),
  deepLinking: true,
  // No badge: it would ask another host.
  validatorUrl: null,
  requestInterceptor: withToken,
});

if (api) {
  api.addEventListener("change", () => {
    // The fragment names an operation of the document before.
    history.replaceState(null, "", location.pathname);
    load();
  });
}
if (token) {
  token.value = sessionStorage.getItem(TOKEN_KEY) ?? "";
  token.addEventListener("change", () => {
    sessionStorage.setItem(TOKEN_KEY, token.value);
    load();
  });
}

function load() {
  ui.specActions.updateUrl(url());
  ui.specActions.download(url());
}

// Adds the control token to requests for the control plane, and to no other.
function withToken(request) {
  const value = token ? sessionStorage.getItem(TOKEN_KEY) : null;
  const target = new URL(request.url, location.href);
  const isControl = target.origin === location.origin && target.pathname.startsWith("/_mock/");
  if (value && isControl && !("Authorization" in request.headers)) {
    request.headers.Authorization = `Bearer ${value}`;
  }
  return request;
}
