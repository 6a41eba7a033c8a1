// Posts the response of the authorization endpoint to the application (response_mode=form_post).
// A file of its own, because the page allows no script inside it.
document.getElementById("orestapi_form_post").submit();
