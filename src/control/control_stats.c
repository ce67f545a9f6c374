/* All counters of the statistics block: what /v1/stats answers, too. */
#include "control/control_private.h"

#include "stats/stats_json.h"

#include <rackkv/control.h>
#include <stdio.h>
#include <stdlib.h>

/* The object as it is printed; NULL without memory. */
static json_t *load_stats(const struct rk_stats_block *stats)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    json_t *object = NULL;

    if (out == NULL)
        return NULL;
    rk_stats_json_print(out, stats);
    if (fclose(out) == 0)
        object = json_loadb(text, len, 0, NULL);
    free(text);
    return object;
}

json_t *rk_control_verb_stats(struct rk_control *control, const json_t *request)
{
    json_t *object = load_stats(control->settings.stats);

    if (object == NULL)
        return rk_control_refuse_err(RK_ERR_NO_MEMORY, "");
    json_object_set_new(object, RK_CONTROL_OK, json_true());
    return object;
}
