/* A folder of its own for a test, gone afterwards. */
#ifndef RK_TEST_DIR_H
#define RK_TEST_DIR_H

/* Makes an empty folder below $TMPDIR (default /tmp); the path is the caller's to free through test_dir_remove. */
char *test_dir_create(void);

/* Removes the folder with all that is in it, and frees the path; NULL inside is fine. */
void test_dir_remove(char **path);

#endif
