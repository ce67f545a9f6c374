/* A test program is one suite: it defines test_suite() and links librk_test.a, which has main(). */
#ifndef RK_TEST_MAIN_H
#define RK_TEST_MAIN_H

#include <check.h>

Suite *test_suite(void);

#endif
