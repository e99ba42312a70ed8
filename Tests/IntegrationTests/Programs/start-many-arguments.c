// args: a bb ccc dddd eeeee ffffff ggggggg hhhhhhhh - -- --x=y
// env: A=1 B=2 PATH=/nowhere LONG=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
// stdin: first line\nsecond\tline\n
#include "facts.h"

extern char **environ;

int main(int count, char **arguments) {
    for (int each = 1; each < count; each++) tell("argument", "%s", arguments[each]);
    for (int each = 0; environ[each]; each++) tell("variable", "%s", environ[each]);
    char line[100];
    while (fgets(line, sizeof line, stdin)) printf("input: %s", line);
    fact("stack is aligned", ((uintptr_t)(arguments - 1) & 15) == 0);
    fprintf(stderr, "to standard error\n");
    return 200;
}
