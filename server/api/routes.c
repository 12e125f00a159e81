#include "server/api/routes.h"

#include "server/api/capabilities.h"
#include "server/api/check.h"
#include "server/api/metrics.h"
#include "server/api/static_files.h"
#include "server/api/train.h"
#include "server/http/probes.h"

static const struct route table[] = {
    {"/v1/check", "POST", check_handle, "application/json", NULL},
    {"/v1/train", "POST", train_handle, "application/json", NULL},
    {"/v1/capabilities", "GET", capabilities_handle, NULL, NULL},
    {"/healthz", "GET", probes_health, NULL, NULL},
    {"/readyz", "GET", probes_ready, NULL, NULL},
    {"/metrics", "GET", metrics_handle, NULL, NULL},
    {"static", "GET", static_files_handle, NULL, static_files_has},
};

const struct routes routes = {table, sizeof table / sizeof table[0]};
