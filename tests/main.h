/* Each tests/ROOM/test_NAME.c is a program of its own: it defines test_suite(), tests/main.c runs it. */
#ifndef TESTS_MAIN_H
#define TESTS_MAIN_H

#include <check.h>

Suite *test_suite(void);

#endif
