/* What each byte can be part of. */
#include "http/http_parse_private.h"

#define NAME    RK_HTTP_BYTE_OF_NAME
#define BOTH    (RK_HTTP_BYTE_OF_NAME | RK_HTTP_BYTE_OF_HOST)
#define N(byte) [byte] = NAME
#define H(byte) [byte] = RK_HTTP_BYTE_OF_HOST
#define B(byte) [byte] = BOTH
const uint8_t rk_http_bytes[256] = {
    N('#'), N('%'), N('^'), N('`'), N('|'), H('('), H(')'), H(';'), H('='), B('!'), B('$'), B('&'), B('\''), B('*'),
    B('+'), B('-'), B('.'), B('_'), B('~'), B('0'), B('1'), B('2'), B('3'), B('4'), B('5'), B('6'), B('7'),  B('8'),
    B('9'), B('A'), B('B'), B('C'), B('D'), B('E'), B('F'), B('G'), B('H'), B('I'), B('J'), B('K'), B('L'),  B('M'),
    B('N'), B('O'), B('P'), B('Q'), B('R'), B('S'), B('T'), B('U'), B('V'), B('W'), B('X'), B('Y'), B('Z'),  B('a'),
    B('b'), B('c'), B('d'), B('e'), B('f'), B('g'), B('h'), B('i'), B('j'), B('k'), B('l'), B('m'), B('n'),  B('o'),
    B('p'), B('q'), B('r'), B('s'), B('t'), B('u'), B('v'), B('w'), B('x'), B('y'), B('z'),
};
#undef NAME
#undef BOTH
#undef N
#undef H
#undef B
