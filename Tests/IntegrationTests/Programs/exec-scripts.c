#include "facts.h"
#include <sys/auxv.h>
#include <sys/prctl.h>

int main(int count, char **arguments) {
    char text[4096];
    if (count > 1 && strcmp(arguments[1], "as interpreter") == 0) {
        fact("arguments", count);
        tell("script", "%s", arguments[2]);
        tell("executed", "%s", (char *)getauxval(AT_EXECFN));
        prctl(PR_GET_NAME, text), tell("name", "%s", text);
        if (count > 3) tell("own", "%s", arguments[3]);
        if (count > 4) tell("and", "%s", arguments[4]);
        if (strcmp(arguments[3], "./outer") == 0) return 5;
        printf("once more\n");
        sprintf(text, "#!   ./script \n");
        close(make_file("outer", text)), chmod("outer", 0755);
        execl("./outer", "zero", "next", NULL);
        return 77;
    }
    char self[4096] = {0};
    readlink("/proc/self/exe", self, sizeof self - 1);
    sprintf(text, "#! %s as interpreter  \nrest of the text\n", self);
    close(make_file("script", text)), chmod("script", 0755);
    execl("./script", "zero", "first", NULL);
    printf("%s\n", error_name(errno));
}
