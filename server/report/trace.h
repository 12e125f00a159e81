/* The trace of a program (core/trace/trace.h) in answers. */
#ifndef SERVER_REPORT_TRACE_H
#define SERVER_REPORT_TRACE_H

#include "core/trace/trace.h"
#include "server/text/text.h"

/* The member "trace" of an object. */
void trace_report_json(struct json *json, const struct trace *trace);

/* The same for a terminal, step by step: forward down, backward up. */
void trace_report_text(struct text *text, const struct trace *trace);

#endif
