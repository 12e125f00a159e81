/* GitHub's Markdown: for the summary of a step, a comment, a notebook. */
#ifndef SERVER_REPORT_MARKDOWN_H
#define SERVER_REPORT_MARKDOWN_H

#include "server/report/verdicts.h"

/* At most 1 MiB of it is shown: the table is cut. */
verdicts_writer markdown_write;

#endif
