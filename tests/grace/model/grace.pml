/* The protocol of grace periods (src/grace/README), for spin.
 *
 * One pointer (`published`) names one of two objects. The writer publishes the other one, waits for grace periods
 * without blocking, and poisons the old one; a reader in a worker loads the pointer in a read section and uses what it
 * names. The worker is killed or stopped at any step of its two threads, reaped, and replaced by one with a new
 * incarnation. A second slot belongs to a process that takes any time to pass; nothing else of it could matter to the
 * first. What happens within one process is taken as right: a synchronize waits for exactly the section that runs.
 *
 * Memory order: the writer's stores reach the others through a buffer that the process `memory` empties when it likes. A
 * release store does not overtake what was stored before it; a full fence waits until the buffer is empty.
 *
 * Period numbers wrap at three and incarnations at two: the code compares them for equality and wraps as well.
 *
 * Proved: no reader uses a poisoned object (the assertion); with -DLIVE, every period that was started ends (the ltl
 * formula), without the agents' bounded sleep. Each of these breaks it, and check_grace_model.sh requires that spin finds
 * it:
 *
 *   safety    FREE_WITHOUT_GRACE CLEAR_BEFORE_DEATH TICKET_OF_RUNNING PASS_BEFORE_WAIT BORN_AHEAD WANTED_RELAXED
 *             STARTED_RELAXED NO_FENCE
 *   progress  DEAD_NOT_CLEARED SLEEP_UNCOMPARED NO_WAKE; with BELT the second is survived */

#define NONE         3
#define NEXT(p)      ((p + 1) % 3)
#define WORD(who, p) (1 + who * 3 + p) /* 0 belongs to nobody */

/* Shared memory; `passed` of the worker and of the other slot. */
byte published = 0;
byte wanted = 0;
byte passed = 0;
byte other_passed = 0;
bool poisoned[2];

/* Stores of the writer that the others do not see yet. */
byte published_next = NONE;
byte started_next = NONE;
byte wanted_next = NONE;

/* The master's own memory: the period, as its writer thread and as its main thread see it, and whose the worker's slot
 * is. */
byte started = 0;
byte started_seen = 0;
bool running = false;
bool open = false;
bit incarnation = 0;

/* What the kernel and liburcu know of the worker. */
bool alive = false;
bool stopped = false;
bool reader_gone = true;
bool agent_gone = true;
bool asleep = false;     /* on the futex */
bool reading = false;    /* in a section, */
bool waited_for = false; /* and a synchronize waits for its end */

#ifdef LIVE
#ifndef TROUBLE
#define TROUBLE 1
#endif
byte trouble = TROUBLE; /* kills and stops; without a bound each look could find a worker that was just replaced */
#define MAY_TROUBLE   (trouble > 0)
#define COUNT_TROUBLE trouble--
ltl every_period_ends { [] (running -> <> !running) }
#else
#define MAY_TROUBLE   true
#define COUNT_TROUBLE skip
#endif

#ifdef WANTED_RELAXED
#define WANTED_IN_ORDER true
#else
#define WANTED_IN_ORDER (published_next == NONE)
#endif
#ifdef STARTED_RELAXED
#define STARTED_IN_ORDER true
#else
#define STARTED_IN_ORDER (published_next == NONE)
#endif

active proctype memory()
{
end:
    do
    :: d_step { published_next != NONE -> published = published_next; published_next = NONE }
    :: d_step { started_next != NONE && STARTED_IN_ORDER -> started_seen = started_next; started_next = NONE }
    :: d_step { wanted_next != NONE && WANTED_IN_ORDER -> wanted = wanted_next; wanted_next = NONE }
    od
}

/* rk_grace_writer_poll, rk_grace_writer_ticket, and a keydir of one pointer. */
active proctype writer()
{
    byte current = 0;
    byte need = 0; /* how many periods must still end before the old object may go: ticket - ended in the code */

    do
    :: d_step {
           need == 0 && poisoned[1 - current] && published_next == NONE ->
           poisoned[1 - current] = false; /* filled, then published; the same store unpublishes the old one */
           published_next = 1 - current;
           current = 1 - current;
#ifdef FREE_WITHOUT_GRACE
           need = 0
#elif defined(TICKET_OF_RUNNING)
           need = 1
#else
           need = (running -> 2 : 1)
#endif
       }
    :: d_step { need == 0 && !poisoned[1 - current] -> poisoned[1 - current] = true }

    :: d_step { !running -> started = NEXT(started); running = true; started_next = started; wanted_next = started }
#ifndef NO_FENCE
       published_next == NONE && started_next == NONE && wanted_next == NONE;
#endif
#ifndef NO_WAKE
       asleep = false
#endif

    :: running ->
       if /* find_holder looks at one slot after the other */
       :: other_passed == WORD(1, started) ->
          if
          :: d_step {
                 !open || passed == WORD(incarnation, started) ->
                 running = false;
                 need = (need > 0 -> need - 1 : 0)
             }
          :: else -> skip
          fi
       :: else -> skip
       fi
    od
}

/* The process of the other slot. */
active proctype other_agent()
{
end:
    do
    :: d_step { other_passed != WORD(1, wanted) -> other_passed = WORD(1, wanted) }
    od
}

/* A thread that reads. It runs unless the process is stopped, and is over at the step where the process is killed. */
active proctype reader() provided (!stopped)
{
    byte found;

end:
    do
    :: !reader_gone ->
       {
           do
           :: reading = true;
              found = published;
              d_step { assert(!poisoned[found]); found = 0; reading = false; waited_for = false }
           od
       } unless { !alive };
       d_step { found = 0; reader_gone = true }
    od
}

/* run_agent. */
active proctype agent() provided (!stopped)
{
    byte asked, mine;
    bit me;

end:
    do
    :: !agent_gone ->
       {
           d_step { me = incarnation; mine = (passed - 1) % 3 }
           do
           :: asked = wanted;
              if
              :: d_step { asked == mine -> asked = 0 }
#ifdef SLEEP_UNCOMPARED
                 asleep = true;
#else
                 d_step { asleep = (wanted == mine) } /* FUTEX_WAIT compares and falls asleep in one step */
#endif
#ifdef BELT
                 asleep = false
#else
                 !asleep
#endif
              :: else ->
#ifdef PASS_BEFORE_WAIT
                 passed = WORD(me, asked);
#endif
                 waited_for = reading; /* synchronize */
                 !waited_for;
                 d_step { passed = WORD(me, asked); mine = asked; asked = 0 }
              fi
           od
       } unless { !alive };
       d_step { asked = 0; mine = 0; me = 0; agent_gone = true }
    od
}

/* rk_grace_writer_slot_clear. */
inline clear_slot()
{
    passed = 0;
    open = false
}

/* The main thread of the master, as far as it deals with the worker's slot. */
active proctype keeper()
{
    byte seen;

    do
    :: d_step { incarnation = 1 - incarnation; open = true } /* rk_grace_writer_slot_open */
       seen = started_seen;
#ifdef BORN_AHEAD
       d_step { passed = WORD(incarnation, NEXT(seen)); seen = 0 }
#else
       d_step { passed = WORD(incarnation, seen); seen = 0 }
#endif
       d_step { /* the process is started */
           reading = false;
           waited_for = false;
           asleep = false;
           reader_gone = false;
           agent_gone = false;
           alive = true
       }
end:
       do
       :: MAY_TROUBLE -> COUNT_TROUBLE; break
       :: MAY_TROUBLE -> COUNT_TROUBLE; stopped = true;
          if
          :: stopped = false; skip /* SIGCONT */
          :: break                 /* the watchdog's SIGKILL */
          fi
       od;
#ifdef CLEAR_BEFORE_DEATH
       clear_slot();
#endif
       atomic { alive = false; stopped = false }
       reader_gone && agent_gone; /* waitpid */
#ifdef DEAD_NOT_CLEARED
       false;
#endif
#ifndef CLEAR_BEFORE_DEATH
       clear_slot()
#endif
    od
}
