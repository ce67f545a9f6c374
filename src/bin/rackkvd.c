#include "base/base_diag.h"

int main(void)
{
    rk_diag_setup("rackkvd", "");
    rk_fatal(2, "usage: rackkvd -c FILE");
}
