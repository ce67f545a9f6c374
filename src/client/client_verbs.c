#include "client/client_verbs.h"

#include "base/base_suggest.h"

#include <string.h>
#include <strings.h>

#define BIT(id)    RK_CLIENT_OPTION_BIT(RK_CLIENT_OPTION_##id)
#define CONDITIONS (BIT(IF_MATCH) | BIT(IF_NONE_MATCH))
#define WRITES     (CONDITIONS | BIT(DURABILITY))

#define VALUE_HELP                                                                                                \
    "A VALUE of - is read from standard input, one of @FILE from that file, byte for byte; @@TEXT is the value\n" \
    "@TEXT. Options stand before the key, so that a value may begin with a dash; a key that does stands behind --.\n"

const struct rk_client_verb rk_client_verbs[] = {
    { "open", "[-c FILE] [-o section.key=value]... [--daemon]", "start a server", 0, 0, RK_CLIENT_VERB_SERVER, false, 0,
      NULL,
      "Starts the server, rackkvd, in this terminal; Control-C stops it. Without a file it keeps its data in ./data "
      "and\n"
      "listens on 127.0.0.1:8080, with one worker a core.\n"
      "\n"
      "  -c, --config FILE           the configuration (rackkv.yaml(5))\n"
      "  -o, --option SECTION.KEY=VALUE\n"
      "                              sets one key, over the file; may be given several times\n"
      "      --daemon                returns when the server is ready, and leaves it in the background\n"
      "\n"
      "Example: rackkv open -o http.listen=127.0.0.1:9000,unix:/run/rackkv.sock -o log.sync=interval\n" },
    { "put", "KEY VALUE", "store a value", 2, 2, RK_CLIENT_VERB_KEY, true,
      WRITES | BIT(TTL) | BIT(TYPE) | BIT(META) | BIT(HEAD), rk_client_command_put,
      "Stores VALUE under KEY, in place of what was there with all that belonged to it.\n" VALUE_HELP "\n"
      "Examples: tar -c dir | rackkv put backup/dir -\n"
      "          rackkv put --type message/rfc822 --meta from=ada mail/7 @message.txt\n"
      "          rackkv put --ttl 10m --if-none-match '*' lock/7 me\n"
      "          rackkv put --if-match 12 nick @@ada\n"
      "          rackkv put -- -dashed-key value\n" },
    { "get", "KEY", "print a value", 1, 1, RK_CLIENT_VERB_KEY, false, CONDITIONS | BIT(RANGE) | BIT(HEAD),
      rk_client_command_get,
      "Writes the value's bytes to standard output, and nothing else; with --head what is stored with it, in its "
      "place.\n"
      "On a terminal, a value that is not text is shown with \\xHH for the bytes that can't be printed. Exit code 1: "
      "there\n"
      "is no such key; 5: the condition does not hold. Whatever else goes wrong, no part of what another server "
      "answers\n"
      "is printed; of a value that was cut off the beginning may be.\n"
      "\n"
      "Examples: rackkv get --range 0-1023 film\n"
      "          rackkv get --if-none-match 12 page >page.new || echo not changed\n" },
    { "delete", "KEY", "delete a key", 1, 1, RK_CLIENT_VERB_KEY, false, WRITES | BIT(HEAD), rk_client_command_delete,
      "Exit code 1: there is no such key; 5: the condition does not hold.\n" },
    { "exists", "KEY", "is there such a key?", 1, 1, RK_CLIENT_VERB_KEY, false, CONDITIONS, rk_client_command_exists,
      "Says nothing: the exit code is the answer: 0 yes, 1 no. With --json it prints the answer as well.\n" },
    { "incr", "KEY [BY]", "add to a number, and print it", 1, 2, RK_CLIENT_VERB_KEY, false, WRITES,
      rk_client_command_incr,
      "Adds BY, a whole number that may be negative (without it 1), to the decimal number that is the value, and "
      "prints\n"
      "the new one: nobody else's comes between. A key that is absent counts as 0. Its expiry and what belongs to it "
      "stay.\n"
      "\n"
      "Example: rackkv incr visits; rackkv incr stock -3\n" },
    { "append", "KEY VALUE", "make a value longer", 2, 2, RK_CLIENT_VERB_KEY, true, WRITES | BIT(HEAD),
      rk_client_command_append,
      "Adds VALUE at the end of the value; a key that is absent is made. Its expiry and what belongs to it "
      "stay.\n" VALUE_HELP },
    { "touch", "KEY", "give a key a new time to live", 1, 1, RK_CLIENT_VERB_KEY, false, WRITES | BIT(TTL) | BIT(HEAD),
      rk_client_command_touch,
      "The key is gone after --ttl TIME from now on; without --ttl it stays for ever. Its value is as it was. Exit "
      "code 1:\n"
      "there is no such key.\n"
      "\n"
      "Example: rackkv touch --ttl 7d session/7\n" },
    { "list", "[PREFIX]", "print the keys in their order", 0, 1, RK_CLIENT_VERB_MANY, false,
      BIT(DELIMITER) | BIT(VALUES), rk_client_command_list,
      "Prints each key that begins with PREFIX (without one: each key), a line each, in byte order; with --values a "
      "tab "
      "and\n"
      "the value behind it. With --delimiter, what several keys share up to it is one line, which ends with it.\n"
      "\n"
      "A key may have a line end in it: for a program there is --json, an object a line with key, size, etag, seq and\n"
      "expires (seconds since 1970, or null), or with prefix. What is no UTF-8 comes as base64, as key64, prefix64 "
      "and\n"
      "value64, and so do values over 64 KiB. Exit code 4: the list broke off.\n"
      "\n"
      "Example: rackkv list --delimiter / user/\n" },
    { "import", "[FILE]", "store what an export or you have written", 0, 1, RK_CLIENT_VERB_MANY, false, BIT(DURABILITY),
      rk_client_command_import,
      "Stores keys that stand in a file (without one, or for -, in standard input), a JSON object a line:\n"
      "\n"
      "  {\"key\":\"a\",\"value\":\"1\"}\n"
      "  "
      "{\"key64\":\"/w==\",\"value64\":\"AAE=\",\"ttl\":\"10m\",\"content_type\":\"text/"
      "plain\",\"meta\":{\"owner\":\"me\"}}\n"
      "\n"
      "The other members are expires (seconds since 1970), content_encoding, cache_control, content_disposition and\n"
      "content_language. The first line that is wrong or refused ends it, with its number: what stands before it is\n"
      "stored. A line is answered when it is written, the last one when all are on the disk; --durability is for "
      "every\n"
      "line. An export that was cut off is a failure, after all that it has was stored.\n" },
    { "export", "[PREFIX]", "print all keys with their values", 0, 1, RK_CLIENT_VERB_MANY, false, 0,
      rk_client_command_export,
      "Writes a JSON object a line for import, for each key that begins with PREFIX (without one: each key), in byte\n"
      "order. The last line is {\"complete\":true}; exit code 4 if it did not come.\n"
      "\n"
      "Example: rackkv export user/ >users.ndjson && rackkv --url http://other:8080 import users.ndjson\n" },
    { "shell", "", "a prompt: PUT k v, GET k, DELETE k ...", 0, 0, RK_CLIENT_VERB_PROGRAM, false, 0, NULL,
      "A prompt with history and completion. From a pipe it runs one command a line, and its exit code is 1 if any of\n"
      "them failed. HELP lists the commands, and says how words are quoted. rackkv without any command, on a terminal, "
      "is the same.\n"
      "\n"
      "The history is kept in $RACKKV_HISTORY (empty: not at all), else in ~/.rackkv_history.\n"
      "\n"
      "Example: printf 'PUT a 1\\nGET a\\n' | rackkv shell\n" },
    { "completion", "", "print what makes bash complete all this", 0, 0, RK_CLIENT_VERB_PROGRAM, false, 0, NULL,
      "For one shell: . <(rackkv completion)\n"
      "For all: rackkv completion >/etc/bash_completion.d/rackkv\n" },
    { "help", "[COMMAND]", "print this, or about one command", 0, 1, RK_CLIENT_VERB_PROGRAM, false, 0, NULL, "" },
    { "version", "", "print the version", 0, 0, RK_CLIENT_VERB_PROGRAM, false, 0, NULL, "" },
};

const size_t rk_client_n_verbs = sizeof rk_client_verbs / sizeof rk_client_verbs[0];

const struct rk_client_verb *rk_client_verb_lookup(struct rk_client_bytes name)
{
    for (size_t i = 0; i < rk_client_n_verbs; i++)
        if (strlen(rk_client_verbs[i].name) == name.size
            && strncasecmp(rk_client_verbs[i].name, name.bytes, name.size) == 0)
            return &rk_client_verbs[i];
    return NULL;
}

const char *rk_client_verb_suggest(const char *wrong)
{
    const char *best = NULL;

    for (size_t i = 0; i < rk_client_n_verbs; i++)
        best = rk_suggest_better(wrong, rk_client_verbs[i].name, best);
    return best;
}

static void print_option(const struct rk_client_option *option, FILE *out)
{
    char words[64], letter[8] = "    ";

    if (option->letter != '\0')
        (void)snprintf(letter, sizeof letter, "-%c, ", option->letter);
    (void)snprintf(words, sizeof words, "%s--%s%s%s", letter, option->name, option->argument != NULL ? " " : "",
                   option->argument != NULL ? option->argument : "");
    fprintf(out, "  %-26s  %s\n", words, option->help);
}

void rk_client_verb_print_options(const struct rk_client_verb *verb, FILE *out)
{
    for (unsigned id = 0; id < RK_CLIENT_N_OPTIONS; id++)
        if ((verb->options & RK_CLIENT_OPTION_BIT(id)) != 0)
            print_option(&rk_client_options_table[id], out);
}
