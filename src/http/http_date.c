#include "http/http_date.h"

#include <string.h>

#define SECONDS_OF_A_DAY 86400

/* What stands at the cursor is taken off, or the date is none. */
struct reader {
    const char *at;
    const char *end;
    bool is_good;
};

struct moment {
    int year, month, day; /* the month from 0 */
    int hour, minute, second;
};

static const char *const months[] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};
static const char *const short_days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
static const char *const long_days[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };

static bool take(struct reader *reader, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, text, len) != 0)
        return false;
    reader->at += len;
    return true;
}

static void expect(struct reader *reader, const char *text)
{
    if (!take(reader, text))
        reader->is_good = false;
}

/* The index of the name that stands there. */
static int take_name(struct reader *reader, const char *const *names, int n_names)
{
    for (int i = 0; i < n_names; i++)
        if (take(reader, names[i]))
            return i;
    reader->is_good = false;
    return 0;
}

static int take_number(struct reader *reader, int n_digits)
{
    int number = 0;

    for (int i = 0; i < n_digits; i++, reader->at++) {
        if (reader->at == reader->end || *reader->at < '0' || *reader->at > '9') {
            reader->is_good = false;
            return 0;
        }
        number = number * 10 + (*reader->at - '0');
    }
    return number;
}

static void take_time(struct reader *reader, struct moment *moment)
{
    moment->hour = take_number(reader, 2);
    expect(reader, ":");
    moment->minute = take_number(reader, 2);
    expect(reader, ":");
    moment->second = take_number(reader, 2);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static void take_fixdate(struct reader *reader, struct moment *moment)
{
    (void)take_name(reader, short_days, 7); /* the rest says which day it is */
    expect(reader, ", ");
    moment->day = take_number(reader, 2);
    expect(reader, " ");
    moment->month = take_name(reader, months, 12);
    expect(reader, " ");
    moment->year = take_number(reader, 4);
    expect(reader, " ");
    take_time(reader, moment);
    expect(reader, " GMT");
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static void take_rfc850(struct reader *reader, struct moment *moment)
{
    (void)take_name(reader, long_days, 7);
    expect(reader, ", ");
    moment->day = take_number(reader, 2);
    expect(reader, "-");
    moment->month = take_name(reader, months, 12);
    expect(reader, "-");
    moment->year = take_number(reader, 2);
    moment->year += moment->year < 70 ? 2000 : 1900;
    expect(reader, " ");
    take_time(reader, moment);
    expect(reader, " GMT");
}

/* "Sun Nov  6 08:49:37 1994" */
static void take_asctime(struct reader *reader, struct moment *moment)
{
    (void)take_name(reader, short_days, 7);
    expect(reader, " ");
    moment->month = take_name(reader, months, 12);
    expect(reader, " ");
    moment->day = take(reader, " ") ? take_number(reader, 1) : take_number(reader, 2);
    expect(reader, " ");
    take_time(reader, moment);
    expect(reader, " ");
    moment->year = take_number(reader, 4);
}

static bool is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool is_in_calendar(const struct moment *moment)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int last = days[moment->month] + (moment->month == 1 && is_leap_year(moment->year));

    return moment->day >= 1 && moment->day <= last && moment->hour <= 23 && moment->minute <= 59
           && moment->second <= 60; /* a leap second */
}

/* Years are counted from March, so that the leap day is the last of its year, and 400 years (146097 days) are added, so
 * that nothing is negative. */
static int64_t days_since_1970(const struct moment *moment)
{
    int64_t year = moment->year + 400 - (moment->month < 2);
    int64_t from_march = (moment->month + 10) % 12;
    int64_t day_of_year = (153 * from_march + 2) / 5 + moment->day - 1;

    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468 - 146097;
}

bool rk_http_date_parse(struct rk_http_span text, int64_t *seconds_out)
{
    struct reader reader = { text.at, text.at + text.len, true };
    struct moment moment = { .year = 0 };

    if (text.len > 3 && text.at[3] == ',')
        take_fixdate(&reader, &moment);
    else if (text.len > 3 && text.at[3] == ' ')
        take_asctime(&reader, &moment);
    else
        take_rfc850(&reader, &moment);
    if (!reader.is_good || reader.at != reader.end || !is_in_calendar(&moment))
        return false;
    *seconds_out =
        days_since_1970(&moment) * SECONDS_OF_A_DAY + (moment.hour * 60 + moment.minute) * 60 + moment.second;
    return true;
}
