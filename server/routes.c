#include "server/routes.h"

#include "server/capabilities.h"
#include "server/check.h"
#include "server/metrics.h"
#include "server/http/probes.h"
#include "server/static_files.h"
#include "server/train.h"

const struct route routes[] = {
    {"/v1/check", "POST", check_handle, "application/json"},
    {"/v1/train", "POST", train_handle, "application/json"},
    {"/v1/capabilities", "GET", capabilities_handle, NULL},
    {"/healthz", "GET", probes_health, NULL},
    {"/readyz", "GET", probes_ready, NULL},
    {"/metrics", "GET", metrics_handle, NULL},
};

const size_t route_count = sizeof routes / sizeof routes[0];

const struct route static_route = {"static", "GET", static_files_handle, NULL};
