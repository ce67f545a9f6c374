#include "bin/bin_ctl.h"

#include "base/base_suggest.h"
#include "bin/bin_protocol.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct rk_bin_ctl_command commands[] = {
    { "ping", "", "is the server there, and does it serve?", 0, 0, false, rk_client_admin_ping,
      "Prints its state, serving or recovering. Exit code 3: no server runs there.\n" },
    { "status", "", "what it is doing: one screen", 0, 0, false, rk_client_admin_status, "" },
    { "stats", "", "all counters", 0, 0, false, rk_client_admin_stats,
      "Counts since the server was started, of the writer and of each worker; bytes and seconds. A worker's counts go\n"
      "on in the one that replaces it.\n" },
    { "merge start", "[FILE...] [--all] [--wait]", "give back the space of dead records", 0, SIZE_MAX, true,
      rk_client_admin_merge_start,
      "Merges the data files with these numbers; with --all every file, after the active one was sealed; with neither\n"
      "those that merge.policy would (explain-space says which).\n"
      "\n"
      "      --all    every data file\n"
      "      --wait   returns when the merge is over, and shows how far it is\n"
      "\n"
      "Exit code 1: nothing to merge, a merge is under way, or with --wait: it failed or was cancelled.\n" },
    { "merge pause", "", "stand still, and start nothing", 0, 0, false, rk_client_admin_merge_pause,
      "A merge that runs goes on with merge resume. A restart forgets the pause.\n" },
    { "merge resume", "", "go on after merge pause", 0, 0, false, rk_client_admin_merge_resume, "" },
    { "merge cancel", "", "end the merge that runs", 0, 0, false, rk_client_admin_merge_cancel,
      "What it has finished stays, the rest is as before. Exit code 1: none runs.\n" },
    { "merge status", "", "the merge that runs, and when the next may", 0, 0, false, rk_client_admin_merge_status, "" },
    { "merge history", "", "the last merges, newest first", 0, 0, false, rk_client_admin_merge_history, "" },
    { "merge rate", "[BYTES|unlimited|paced]", "show or set how fast a merge may be", 0, 1, false,
      rk_client_admin_merge_rate,
      "BYTES is what is copied in a second, as 50MiB; the merge yields to requests besides. paced is no limit but "
      "that;\n"
      "unlimited is as fast as the disk. It counts from now on until the next restart, which reads merge.rate.\n"
      "\n"
      "Example: rackkvctl merge rate 20MiB\n" },
    { "roll", "", "seal the active data file, begin another", 0, 0, false, rk_client_admin_roll, "" },
    { "sync", "", "make all that was written durable", 0, 0, false, rk_client_admin_sync,
      "In mode log.sync: always it is durable already.\n" },
    { "reopen", "", "begin a new log file, after the old one was moved", 0, 0, false, rk_client_admin_reopen,
      "The same as the signal USR1: opens server.log_file by its name again, and has the workers do so. Exit code 1: "
      "messages\n"
      "go to standard error.\n" },
    { "file list", "", "the data files", 0, 0, false, rk_client_admin_file_list, "" },
    { "explain-space", "", "where every byte of every data file is", 0, 0, false, rk_client_admin_explain_space,
      "For each data file what is live, what is dead and why (overwritten, deleted, expired), tombstones, the file's "
      "own\n"
      "frame and what is preallocated: they add up to its size (see it with --bytes). The last column says whether a\n"
      "merge would take it, and why not. What has expired is looked for first; not while a merge runs.\n" },
    { "whereis", "KEY", "file and offset of a key's newest record", 1, 1, false, rk_client_admin_whereis,
      "Exit code 1: there is no such key. A key that begins with a dash stands behind --.\n" },
    { "version", "", "print the version of this program", 0, 0, false, NULL, "" },
    { "help", "[COMMAND]", "print this, or about one command", 0, 2, false, NULL, "" },
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

/* ---- by name ---- */

const struct rk_bin_ctl_command *rk_bin_ctl_lookup(char *const *words, size_t n_words, size_t *n_words_out)
{
    char pair[RK_BIN_CTL_NAME_BYTES];

    if (n_words > 1)
        (void)snprintf(pair, sizeof pair, "%.30s %.30s", words[0], words[1]);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        bool is_pair = n_words > 1 && strcmp(commands[i].name, pair) == 0;

        if (!is_pair && (n_words == 0 || strcmp(commands[i].name, words[0]) != 0))
            continue;
        *n_words_out = is_pair ? 2 : 1;
        return &commands[i];
    }
    return NULL;
}

const char *rk_bin_ctl_suggest(const char *wrong)
{
    const char *best = NULL;

    for (size_t i = 0; i < N_COMMANDS; i++)
        best = rk_suggest_better(wrong, commands[i].name, best);
    return best;
}

bool rk_bin_ctl_list_group(const char *group, char *text, size_t size)
{
    size_t len = strlen(group), used = 0;

    for (size_t i = 0; i < N_COMMANDS && used < size; i++)
        if (strncmp(commands[i].name, group, len) == 0 && commands[i].name[len] == ' ')
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", commands[i].name + len + 1);
    return used > 0;
}

/* ---- help ---- */

static void print_options(void)
{
    puts("  -s, --socket SOCKET         the server's control socket\n"
         "  -c, --config FILE           its configuration, which says where the socket is\n"
         "  -o, --option SECTION.KEY=VALUE\n"
         "                              the same as that of rackkvd\n"
         "                              (default: $RACKKV_SOCKET, else ./data/control.sock)\n"
         "  -t, --timeout TIME          how long the command may take, as 500ms or 5s\n"
         "      --json                  one JSON object on standard output, stable for programs\n"
         "  -b, --bytes                 sizes in tables with all their digits\n"
         "  -h, --help                  about a command\n"
         "  -V, --version               print the version\n"
         "\n"
         "Exit codes: 0 done, 1 failed or absent, 2 wrong usage, 3 no server runs there, 4 it does not answer.\n"
         "More: rackkvctl help COMMAND, rackkvctl(8)");
}

void rk_bin_ctl_print_help(void)
{
    puts("Administration of a RackKV server, over its control socket.\n\n"
         "Usage: rackkvctl [-s SOCKET | -c FILE] [--json] COMMAND\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-14s %s\n", commands[i].name, commands[i].summary);
    puts("");
    print_options();
}

void rk_bin_ctl_print_command(const struct rk_bin_ctl_command *command)
{
    printf("rackkvctl %s: %s\n\nUsage: rackkvctl [OPTIONS] %s%s%s\n", command->name, command->summary, command->name,
           command->operands[0] != '\0' ? " " : "", command->operands);
    if (command->help[0] != '\0')
        printf("\n%s", command->help);
    rk_bin_protocol_print(command->name);
}

bool rk_bin_ctl_print_group(const char *group)
{
    size_t len = strlen(group), n = 0;

    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strncmp(commands[i].name, group, len) == 0 && commands[i].name[len] == ' ' && ++n > 0)
            printf("rackkvctl %s %s\n    %s\n", commands[i].name, commands[i].operands, commands[i].summary);
    return n > 0;
}
