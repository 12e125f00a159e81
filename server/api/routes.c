#include "server/api/routes.h"

#include "server/api/capabilities.h"
#include "server/api/check.h"
#include "server/api/landscape.h"
#include "server/api/metrics.h"
#include "server/api/optimizer_step.h"
#include "server/api/static_files.h"
#include "server/api/svd.h"
#include "server/api/train.h"
#include "server/body/body.h"
#include "server/http/probes.h"

static const struct route table[] = {
    {.path = "/v1/check",
     .role = ROLE_CHECK,
     .method = "POST",
     .accepts = api_check_media_type,
     .codings = body_coding,
     .what = "check",
     .measure = api_check_measure,
     .run = api_check_run},
    {.path = "/v1/train",
     .role = ROLE_CHECK,
     .method = "POST",
     .accepts = body_media_type,
     .codings = body_coding,
     .lasts = true,
     .what = "training",
     .measure = api_train_measure,
     .run = api_train_run},
    {.path = "/v1/optimizer_step",
     .role = ROLE_CHECK,
     .method = "POST",
     .accepts = body_media_type,
     .codings = body_coding,
     .what = "check",
     .measure = api_optimizer_step_measure,
     .run = api_optimizer_step_run},
    {.path = "/v1/landscape",
     .role = ROLE_CHECK,
     .method = "POST",
     .accepts = body_media_type,
     .codings = body_coding,
     .lasts = true,
     .what = "landscape",
     .measure = api_landscape_measure,
     .run = api_landscape_run},
    {.path = "/v1/svd",
     .role = ROLE_CHECK,
     .method = "POST",
     .accepts = body_media_type,
     .codings = body_coding,
     .what = "decomposition",
     .measure = api_svd_measure,
     .run = api_svd_run},
    {.path = "/v1/capabilities", .method = "GET", .run = api_capabilities},
    {.path = "/healthz", .method = "GET", .run = probes_health},
    {.path = "/readyz", .method = "GET", .run = probes_ready},
    {.path = "/metrics", .role = ROLE_STAFF, .method = "GET", .run = api_metrics},
    {.path = "static", .has = static_files_has, .method = "GET", .run = api_static_files},
};

const struct routes routes = {table, sizeof table / sizeof table[0]};
