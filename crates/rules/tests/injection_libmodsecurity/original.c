// Asks libinjection, which libmodsecurity brings along, for tests and benches that compare it with
// ours.
//
// Each line of the input is a value in hexadecimal, "-" for an empty one. The answer is a line
// "FINGERPRINT VERDICT": "-" for no SQL injection, and 1 or 0 for whether there is a script. With
// the argument "time" it is "SQL SCRIPT", the nanoseconds that each question takes.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// They are exported, but have no header.
int libinjection_sqli(const char *value, size_t length, char fingerprint[]);
int libinjection_xss(const char *value, size_t length);

static char fingerprint[8];

static int ask(int about_scripts, const char *value, size_t length) {
    return about_scripts ? libinjection_xss(value, length)
                         : libinjection_sqli(value, length, fingerprint);
}

static double nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

// The least of many short rounds, some of which nothing else interrupts.
static double cost(int about_scripts, const char *value, size_t length) {
    double least = 1e18;
    for (int round = 0; round < 60; round++) {
        double calls = 0, begun = nanoseconds(), taken = 0;
        while (taken < 3e5) {
            for (int call = 0; call < 100; call++, calls++) {
                ask(about_scripts, value, length);
            }
            taken = nanoseconds() - begun;
        }
        if (taken / calls < least) {
            least = taken / calls;
        }
    }
    return least;
}

static int digit(char letter) {
    return letter <= '9' ? letter - '0' : letter - 'a' + 10;
}

int main(int count, char **arguments) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&line, &capacity, stdin)) > 0) {
        size_t bytes = 0;
        if (line[0] != '-') {
            for (ssize_t at = 0; at + 1 < length; at += 2) {
                line[bytes++] = (char)(digit(line[at]) << 4 | digit(line[at + 1]));
            }
        }
        // It looks at the byte behind the value.
        memset(line + bytes, 0, length - bytes);
        if (count > 1 && strcmp(arguments[1], "time") == 0) {
            printf("%.1f %.1f\n", cost(0, line, bytes), cost(1, line, bytes));
        } else {
            int is_sqli = ask(0, line, bytes);
            printf("%s %d\n", is_sqli ? fingerprint : "-", ask(1, line, bytes));
        }
    }
    free(line);
    return 0;
}
