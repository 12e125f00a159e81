# R: with the packages httr2 and jsonlite. grads is a list of matrices and vectors, list(W1 = dW1, b1 = db1, ...), as in x %*% W1 + b1.
library(httr2)
lab <- jsonlite::fromJSON("lab.json", simplifyVector = FALSE)
lab$gradients <- grads
report <- request("http://127.0.0.1:8080") |>
  req_url_path("/v1/check") |>
  req_body_raw(jsonlite::toJSON(lab, digits = NA, auto_unbox = TRUE), "application/json") |>
  req_retry(max_tries = 5) |>
  req_perform() |>
  resp_body_json()
cat(report$points, "of", report$max_points, "points\n")
for (mistake in report$diagnosis$mistakes) cat(mistake$message, mistake$hint, sep = "\n")
