/* Keys in memory beside a sorted array of them. */
#include "list/list_order.h"
#include "test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_KEYS   400
#define N_ROUNDS 60000

/* What is there of the key of each number; 0: nothing. */
static uint64_t sequences[N_KEYS];

static size_t make_key(char key[16], int number)
{
    return (size_t)snprintf(key, 16, "%03d%s", number, number % 3 == 0 ? "" : number % 3 == 1 ? "x" : "xx");
}

static void check_node(const struct rk_list_node *node, int number)
{
    char key[16];
    size_t len = make_key(key, number);

    ck_assert_ptr_ne(node, NULL);
    ck_assert_uint_eq(node->key_len, len);
    ck_assert(memcmp(rk_list_node_key(node), key, len) == 0);
    ck_assert_uint_eq(node->sequence, sequences[number]);
    ck_assert_uint_eq(node->is_doubtful, sequences[number] % 2);
}

static void check_all(const struct rk_list_order *order)
{
    const struct rk_list_node *node = rk_list_order_seek(order, "", 0);
    int last = -1;

    for (int number = 0; number < N_KEYS; number++) {
        if (sequences[number] == 0)
            continue;
        check_node(node, number);
        node = node->next[0];
        last = number;
    }
    ck_assert_ptr_eq(node, NULL);
    if (last >= 0)
        check_node(rk_list_order_last(order), last);
    else
        ck_assert_ptr_eq(rk_list_order_last(order), NULL);
}

static void check_seek(const struct rk_list_order *order, int number)
{
    char key[16];
    size_t len = make_key(key, number);
    const struct rk_list_node *node = rk_list_order_seek(order, key, len);

    while (number < N_KEYS && sequences[number] == 0)
        number++;
    if (number < N_KEYS)
        check_node(node, number);
    else
        ck_assert_ptr_eq(node, NULL);
}

static void put(struct rk_list_order *order, int number, uint64_t sequence)
{
    char key[16];
    struct rk_disk_key entry = { .key = (const uint8_t *)key, .sequence = sequence };

    entry.key_len = (uint16_t)make_key(key, number);
    rk_list_order_put(order, &entry, sequence % 2 == 1);
    if (sequence >= sequences[number])
        sequences[number] = sequence;
}

static void take_out(struct rk_list_order *order, int number, uint64_t sequence)
{
    char key[16];

    rk_list_order_remove(order, key, make_key(key, number), sequence);
    if (sequence >= sequences[number])
        sequences[number] = 0;
}

START_TEST(it_is_what_a_sorted_array_is)
{
    struct rk_list_order *order = rk_list_order_create();

    for (uint64_t round = 1; round < N_ROUNDS; round++) {
        int number = rand() % N_KEYS;
        uint64_t sequence = rand() % 10 == 0 ? 1 + round / 2 : round + N_ROUNDS; /* an older one is passed over */

        if (rand() % 3 > 0)
            put(order, number, sequence);
        else
            take_out(order, number, sequence);
        check_seek(order, rand() % N_KEYS);
        if (round % 1000 == 0)
            check_all(order);
    }
    for (int number = 0; number < N_KEYS; number++)
        take_out(order, number, UINT64_MAX);
    check_all(order);
    ck_assert_uint_eq(rk_list_order_bytes(order), 0);
    put(order, 7, 1);
    ck_assert_uint_gt(rk_list_order_bytes(order), 0);
    rk_list_order_destroy(&order);
    ck_assert_ptr_eq(order, NULL);
}
END_TEST

Suite *test_suite(void)
{
    Suite *suite = suite_create("list_order");
    TCase *tcase = tcase_create("order");

    tcase_add_test(tcase, it_is_what_a_sorted_array_is);
    suite_add_tcase(suite, tcase);
    return suite;
}
