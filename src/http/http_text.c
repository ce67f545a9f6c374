#include "http/http_text.h"

#include <string.h>

#define SECONDS_OF_A_DAY 86400u
#define LAST_SECOND      253402300799ull /* 9999-12-31 23:59:59 */

static const char two_digits[] = "00010203040506070809101112131415161718192021222324"
                                 "25262728293031323334353637383940414243444546474849"
                                 "50515253545556575859606162636465666768697071727374"
                                 "75767778798081828384858687888990919293949596979899";

size_t rk_http_text_decimal(uint64_t number, char *out)
{
    char backwards[RK_HTTP_DECIMAL_BYTES];
    char *at = backwards + sizeof backwards;
    size_t len;

    while (number >= 100) {
        at -= 2;
        memcpy(at, two_digits + 2 * (number % 100), 2);
        number /= 100;
    }
    if (number >= 10) {
        at -= 2;
        memcpy(at, two_digits + 2 * number, 2);
    } else
        *--at = (char)('0' + number);
    len = (size_t)(backwards + sizeof backwards - at);
    memcpy(out, at, len);
    return len;
}

static char *put_two(char *at, unsigned number)
{
    return mempcpy(at, two_digits + 2 * number, 2);
}

/* Days since 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that the leap day is the
 * last of its year, in eras of 400 years (146097 days), which are all alike. */
static void date_of_day(unsigned day, unsigned *year_out, unsigned *month_out, unsigned *mday_out)
{
    unsigned shifted = day + 719468; /* days since 0000-03-01 */
    unsigned era = shifted / 146097;
    unsigned day_of_era = shifted % 146097;
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month_from_march = (5 * day_of_year + 2) / 153;

    *mday_out = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *month_out = month_from_march < 10 ? month_from_march + 2 : month_from_march - 10; /* 0: January */
    *year_out = era * 400 + year_of_era + (month_from_march >= 10);
}

void rk_http_text_date(uint64_t wall_ms, char *out)
{
    static const char weekdays[] = "Thu, Fri, Sat, Sun, Mon, Tue, Wed, "; /* 1970-01-01 was a Thursday */
    static const char months[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ";
    uint64_t seconds = wall_ms / 1000 < LAST_SECOND ? wall_ms / 1000 : LAST_SECOND;
    unsigned day = (unsigned)(seconds / SECONDS_OF_A_DAY);
    unsigned second = (unsigned)(seconds % SECONDS_OF_A_DAY);
    unsigned year, month, mday;
    char *at = out;

    date_of_day(day, &year, &month, &mday);
    at = mempcpy(at, weekdays + 5 * (day % 7), 5);
    at = put_two(at, mday);
    *at++ = ' ';
    at = mempcpy(at, months + 4 * month, 4);
    at = put_two(put_two(at, year / 100), year % 100);
    *at++ = ' ';
    at = put_two(at, second / 3600);
    *at++ = ':';
    at = put_two(at, second / 60 % 60);
    *at++ = ':';
    at = put_two(at, second % 60);
    memcpy(at, " GMT", 4);
}
