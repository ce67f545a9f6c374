/* Real input, by several clients at once, read back byte for byte after a kill -9 and a restart: each word of the word
 * list is a key, and each file under /usr/share/doc is a value whose key is its path. What the machine does not have is
 * skipped by name. */
#include "system_client.h"
#include "system_server.h"
#include "test_dir.h"
#include "test_main.h"
#include "test_sanitized.h"

#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WORD_LIST      "/usr/share/dict/american-english"
#define DOC_TREE       "/usr/share/doc"
#define N_CLIENTS      8
#define N_ITEMS_MAX    200000
#define FILE_BYTES_MAX (4u << 20)
#define WORD_EVERY     (TEST_SANITIZED ? 5u : 1u) /* a sanitized server is slow */

/* A key; its value is a function of it: the file of that name, or the word with its number. */
static char *items[N_ITEMS_MAX];
static size_t n_items;
static char *dir;
static struct system_server *server;

struct loader {
    pthread_t thread;
    unsigned number;
    size_t n_right;
    size_t n_wrong;
    char wrong[256];
};

static void setup(void)
{
    dir = test_dir_create();
    n_items = 0;
    server = NULL;
}

static void teardown(void)
{
    if (server != NULL)
        ck_assert_int_eq(system_server_stop(&server, SIGTERM), 0);
    for (size_t i = 0; i < n_items; i++)
        free(items[i]);
    test_dir_remove(&dir);
}

static void add_words(void)
{
    FILE *list = fopen(WORD_LIST, "r");
    char word[256];

    if (list == NULL)
        return;
    for (size_t line = 0; n_items < N_ITEMS_MAX && fgets(word, sizeof word, list) != NULL; line++) {
        if (line % WORD_EVERY != 0)
            continue;
        word[strcspn(word, "\n")] = '\0';
        items[n_items++] = strdup(word);
    }
    fclose(list);
}

static int add_file(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    if (kind == FTW_F && S_ISREG(status->st_mode) && status->st_size <= FILE_BYTES_MAX && n_items < N_ITEMS_MAX)
        items[n_items++] = strdup(path);
    return 0;
}

static char *read_file(const char *path, size_t *size_out)
{
    char *bytes = malloc(FILE_BYTES_MAX + 1);
    FILE *file = fopen(path, "r");

    *size_out = 0;
    if (file != NULL) {
        *size_out = fread(bytes, 1, FILE_BYTES_MAX + 1, file);
        fclose(file);
    }
    return bytes;
}

static char *value_of(size_t i, size_t *size_out)
{
    char *value = NULL;

    if (items[i][0] == '/')
        return read_file(items[i], size_out);
    *size_out = (size_t)asprintf(&value, "%zu %s", i, items[i]);
    return value;
}

static void put_item(struct loader *loader, struct system_client *client, const char *target, const char *value,
                     size_t size)
{
    int status = system_client_status(client, "PUT", target, value, size);

    if (status == 201) {
        loader->n_right++;
        return;
    }
    loader->n_wrong++;
    snprintf(loader->wrong, sizeof loader->wrong, "PUT %.200s answered %d", target, status);
}

static void get_item(struct loader *loader, struct system_client *client, const char *target, const char *value,
                     size_t size)
{
    struct system_response response;

    system_client_request(client, "GET", target, NULL, 0, &response);
    if (response.status == 200 && response.body_len == size && memcmp(response.body, value, size) == 0) {
        loader->n_right++;
    } else {
        loader->n_wrong++;
        snprintf(loader->wrong, sizeof loader->wrong, "GET %.180s answered %d with %zu of %zu bytes", target,
                 response.status, response.body_len, size);
    }
    system_response_fini(&response);
}

typedef void item_fn(struct loader *, struct system_client *, const char *, const char *, size_t);

static void run_items(struct loader *loader, item_fn *run)
{
    struct system_client client = { .fd = -1, .port = system_server_port(server) };

    for (size_t i = loader->number; i < n_items; i += N_CLIENTS) {
        char *target = system_key_target(items[i], strlen(items[i]));
        size_t size;
        char *value = value_of(i, &size);

        run(loader, &client, target, value, size);
        free(value);
        free(target);
    }
    system_client_close(&client);
}

static void *load(void *loader)
{
    run_items(loader, put_item);
    return NULL;
}

static void *verify(void *loader)
{
    run_items(loader, get_item);
    return NULL;
}

static void run_clients(void *(*main_function)(void *))
{
    struct loader loaders[N_CLIENTS] = { { .number = 0 } };
    size_t n_right = 0;

    for (unsigned i = 0; i < N_CLIENTS; i++) {
        loaders[i].number = i;
        ck_assert_int_eq(pthread_create(&loaders[i].thread, NULL, main_function, &loaders[i]), 0);
    }
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        pthread_join(loaders[i].thread, NULL);
        n_right += loaders[i].n_right;
    }
    for (unsigned i = 0; i < N_CLIENTS; i++)
        ck_assert_msg(loaders[i].n_wrong == 0, "%zu wrong; the last: %s", loaders[i].n_wrong, loaders[i].wrong);
    ck_assert_uint_eq(n_right, n_items);
}

START_TEST(words_and_files_survive_a_kill)
{
    static const char *const two[] = { "-o", "server.workers=2", NULL };
    size_t n_words;

    add_words();
    n_words = n_items;
    (void)nftw(DOC_TREE, add_file, 16, FTW_PHYS); /* what is not there is not loaded */
    printf("loading %zu words of %s and %zu files under %s\n", n_words, WORD_LIST, n_items - n_words, DOC_TREE);
    ck_assert_msg(n_words > 0, "%s is missing: install the package wamerican", WORD_LIST);
    server = system_server_start(dir, two);
    run_clients(load);
    ck_assert_int_eq(system_server_stop(&server, SIGKILL), -SIGKILL);
    server = system_server_start(dir, two);
    run_clients(verify);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("system input");
    TCase *tcase = tcase_create("input");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, words_and_files_survive_a_kill);
    suite_add_tcase(suite, tcase);
    return suite;
}
