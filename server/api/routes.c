#include "server/api/routes.h"

#include "server/api/capabilities.h"
#include "server/api/check.h"
#include "server/api/metrics.h"
#include "server/http/probes.h"
#include "server/api/static_files.h"
#include "server/api/train.h"

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
