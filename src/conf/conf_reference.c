/* The documentation that comes from the table: the commented file conf/rackkv.yaml, and the manual page
 * man/rackkv.yaml.5. Both are committed; a test compares them with what is printed here. */
#include "conf/conf_value.h"

#include <string.h>

#define LINE_MAX_COLUMNS 110u

static const char *reload_text(void)
{
    for (size_t i = 0; i < RK_CONF_N_KEYS; i++)
        if (rk_conf_keys[i].reloadable)
            return "Keys marked (reloadable) may change while the server runs; the others need a restart.";
    return "A change takes effect when the server is started again.";
}

/* One paragraph, each line behind the prefix. */
static void print_wrapped(FILE *out, const char *prefix, const char *text)
{
    while (*text != '\0') {
        size_t room = LINE_MAX_COLUMNS - strlen(prefix);
        size_t len = strlen(text);

        if (len > room) {
            len = room;
            while (len > 0 && text[len] != ' ')
                len--;
        }
        fprintf(out, "%s%.*s\n", prefix, (int)len, text);
        text += len;
        text += strspn(text, " ");
    }
}

/* A default as YAML; those of the table need no quotes but for the empty one. */
static void print_default(FILE *out, const struct rk_conf_key *key)
{
    if (key->type == RK_CONF_LIST)
        fprintf(out, "[%s]", key->default_text);
    else
        fprintf(out, "%s", key->default_text[0] != '\0' ? key->default_text : "\"\"");
}

static void print_key(FILE *out, const struct rk_conf_key *key)
{
    char allowed[RK_CONF_DESCRIBE_BYTES], line[RK_CONF_DESCRIBE_BYTES + 64];
    size_t group_len = rk_conf_group_len(key);

    rk_conf_describe(key, allowed);
    (void)snprintf(line, sizeof line, "Allowed: %s.%s", allowed, key->reloadable ? " (reloadable)" : "");
    print_wrapped(out, group_len > 0 ? "    # " : "  # ", key->doc);
    print_wrapped(out, group_len > 0 ? "    # " : "  # ", line);
    if (group_len > 0)
        fprintf(out, "    %s: ", key->name + group_len + 1);
    else
        fprintf(out, "  %s: ", key->name);
    print_default(out, key);
    fputs("\n", out);
}

static void print_section(FILE *out, const struct rk_conf_key *key)
{
    const struct rk_conf_key *end = rk_conf_section_end(key);

    fprintf(out, "\n# %s: %s\n%s:\n", key->section, rk_conf_section_doc(key->section), key->section);
    while (key < end) {
        size_t group_len = rk_conf_group_len(key);

        if (group_len > 0 && !rk_conf_same_group(key, key - 1)) /* a group is never a section's first row */
            fprintf(out, "  %.*s:\n", (int)group_len, key->name);
        print_key(out, key++);
        if (key < end)
            fputs("\n", out);
    }
}

void rk_conf_print_reference(FILE *out)
{
    print_wrapped(out, "# ",
                  "RackKV's configuration: every key with its default. Keys that are left out have their defaults. "
                  "Unknown keys and impossible values are errors, and the server does not start; try a file with: "
                  "rackkvd -t -c FILE");
    print_wrapped(out, "# ",
                  "Sizes: 4096, 64KiB, 32MiB, 1GiB (also TiB, and decimal kB, MB, GB, TB). "
                  "Durations: 500ms, 10s, 5m, 3h, 7d.");
    print_wrapped(out, "# ", reload_text());
    for (const struct rk_conf_key *key = rk_conf_keys; key < rk_conf_keys + RK_CONF_N_KEYS;
         key = rk_conf_section_end(key))
        print_section(out, key);
}

/* roff takes a leading dot or quote for a request, and a backslash and a hyphen for its own. */
static void print_roff(FILE *out, const char *text)
{
    if (text[0] == '.' || text[0] == '\'')
        fputs("\\&", out);
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

static void print_manual_key(FILE *out, const struct rk_conf_key *key)
{
    char allowed[RK_CONF_DESCRIBE_BYTES];

    rk_conf_describe(key, allowed);
    fprintf(out, ".TP\n.B %s.%s\n", key->section, key->name);
    print_roff(out, key->doc);
    fputs("\n.br\nAllowed: ", out);
    print_roff(out, allowed);
    fputs(".\n.br\nDefault: ", out);
    print_roff(out, key->default_text[0] != '\0' ? key->default_text : "\"\"");
    fprintf(out, ".%s\n", key->reloadable ? " (reloadable)" : "");
}

static const char manual_head[] =
    ".\\\" Made from the table of keys (src/conf/conf_table.c) by: make conf-docs\n"
    ".TH RACKKV.YAML 5 \"\" \"RackKV\" \"RackKV manual\"\n"
    ".SH NAME\n"
    "rackkv.yaml \\- configuration of the RackKV server\n"
    ".SH SYNOPSIS\n"
    ".B rackkvd \\-c\n"
    ".I rackkv.yaml\n"
    ".SH DESCRIPTION\n"
    "The file is one YAML mapping of sections, each a mapping of keys to values; a key with a dot in its name, as\n"
    "merge.trigger.fragmentation, stands in a mapping within its section. Keys that are left out have their defaults,\n"
    "and so has a server without a file. Anchors, aliases, tags and a second document are refused.\n"
    ".PP\n"
    "Unknown keys, keys that are there twice, values of the wrong type or out of range, and values that contradict\n"
    "each other are errors: they are reported with file, line, column and what is allowed, and the server does not\n"
    "start.\n"
    ".B rackkvd \\-t\n"
    "tests a file,\n"
    ".B rackkvd \\-T\n"
    "prints the effective configuration. Each key can be set on the command line as well:\n"
    ".BR \"\\-o section.key=value\" ;\n"
    "the items of a list are separated by commas there.\n"
    ".SH VALUES\n"
    ".TP\n"
    ".B size\n"
    "A number of bytes, alone or with a unit: KiB, MiB, GiB, TiB (powers of 1024), kB, MB, GB, TB (powers of 1000).\n"
    ".TP\n"
    ".B duration\n"
    "A number with a unit: ms, s, m, h, d. 0 needs none.\n"
    ".TP\n"
    ".B switch\n"
    "on or off, true or false.\n"
    ".PP\n";

static const char manual_tail[] = ".SH EXAMPLE\n"
                                  ".nf\n"
                                  "server:\n"
                                  "  data_dir: /var/lib/rackkv\n"
                                  "http:\n"
                                  "  listen: [127.0.0.1:8080, \"[::1]:8080\", unix:/run/rackkv/http.sock]\n"
                                  "limits:\n"
                                  "  max_value: 16MiB\n"
                                  ".fi\n"
                                  ".SH SEE ALSO\n"
                                  ".BR rackkv (1),\n"
                                  ".BR rackkvd (8)\n";

void rk_conf_print_manual(FILE *out)
{
    fprintf(out, "%s%s\n", manual_head, reload_text());
    for (const struct rk_conf_key *key = rk_conf_keys; key < rk_conf_keys + RK_CONF_N_KEYS;) {
        const struct rk_conf_key *end = rk_conf_section_end(key);

        fprintf(out, ".SH \"SECTION %s: %s\"\n", key->section, rk_conf_section_doc(key->section));
        while (key < end)
            print_manual_key(out, key++);
    }
    fputs(manual_tail, out);
}
