/* Whether the address sanitizer is built in, by gcc or clang: what starts a server then takes many times as long. */
#ifndef RK_TEST_SANITIZED_H
#define RK_TEST_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__)
#define TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif
#ifndef TEST_SANITIZED
#define TEST_SANITIZED 0
#endif

#endif
