import Foundation
import LinuxABI
import LoaderCore
import LoaderFuzzing
import Testing

@testable import ELFFile

@Suite struct InitialStackTests {
    /// Prints where everything on the first stack lies, counted from the stack's top.
    private static let dumper = """
        #include <elf.h>
        #include <stdio.h>
        #include <string.h>
        int main(int argc, char **argv) {
            char **env = argv + argc + 1, **end = env;
            while (*end) end++;
            Elf64_auxv_t *vector = (void *)(end + 1), *a;
            for (a = vector; a->a_type != AT_EXECFN; a++) ;
            char *path = (char *)a->a_un.a_val;
            unsigned long top = (unsigned long)path + strlen(path) + 1 + 8;
            printf("top %ld\\n", top % 4096);
            printf("sp %ld\\n", (unsigned long)(argv - 1) % 16);
            printf("argc %ld\\n", ((long *)argv)[-1]);
            for (int i = 0; i < argc; i++)
                printf("arg -%ld %s\\n", top - (unsigned long)argv[i], argv[i]);
            for (char **e = env; *e; e++)
                printf("env -%ld %s\\n", top - (unsigned long)*e, *e);
            printf("path -%ld %s\\n", top - (unsigned long)path, path);
            for (a = vector; a->a_type; a++)
                printf("aux %ld %ld\\n", a->a_type, a->a_un.a_val);
        }
        """

    /// What a dump says about the auxiliary vector.
    private struct Dump {
        var lines: [String] = []
        var keys: [UInt64] = []
        var values: [UInt64: UInt64] = [:]

        init(_ text: String) {
            for line in text.split(separator: "\n").map(String.init) {
                let words = line.split(separator: " ")
                guard words[0] == "aux", let key = UInt64(words[1]) else {
                    lines.append(line)
                    continue
                }
                // AT_RSEQ_FEATURE_SIZE and AT_RSEQ_ALIGN are left out while there is no rseq.
                if key == 27 || key == 28 { continue }
                keys.append(key)
                values[key] = UInt64(bitPattern: Int64(words[2]) ?? 0)
            }
        }
    }

    /// Builds a stack, and dumps it as the C program dumps its own.
    private func dump(
        _ path: String,
        _ arguments: [String],
        _ environment: [String],
        top: UInt64 = 0x7fff_0000_0000
    ) throws -> Dump {
        let image = try ExecutableImage(path: path)
        var values = AuxiliaryValues(program: image.plan, interpreter: nil, random: (1, 2))
        values.vdsoHeader = 0x7000
        values.userID = getuid()
        values.effectiveUserID = geteuid()
        values.groupID = getgid()
        values.effectiveGroupID = getegid()
        let (size, stackPointer, bytes) = try Stack.make(
            arguments,
            environment,
            path,
            values,
            top
        )
        #expect(UInt64(size) == top - stackPointer)
        return Dump(Stack.text(bytes, stackPointer, top))
    }

    @Test(arguments: [["-static"], ["-static-pie"]])
    func layoutIsThatOfLinux(flags: [String]) throws {
        let program = try BuiltProgram.compile(Self.dumper, "gcc", flags)
        let arguments = ["first", "", "third argument", String(repeating: "x", count: 5000)]
        let environment = ["PATH": "/bin", "EMPTY": "", "LONG": String(repeating: "y", count: 999)]
        let native = Dump(
            try BuiltProgram.run(program, arguments, environment: environment).output
        )
        // Foundation decides the order of the environment.
        let order = native.lines.filter { $0.hasPrefix("env ") }.map { line in
            line.split(separator: " ", maxSplits: 2).dropFirst(2).joined()
        }
        let ours = try dump(program, [program] + arguments, order)
        #expect(ours.lines == native.lines)
        #expect(ours.keys == native.keys)
        let same: [AuxiliaryKey] = [
            .programHeaderSize, .programHeaderCount, .pageSize, .interpreterBase, .flags,
            .userID, .effectiveUserID, .groupID, .effectiveGroupID, .clockTicks, .secure,
        ]
        for key in same {
            #expect(ours.values[key.rawValue] == native.values[key.rawValue], "\(key)")
        }
        let fromEntry = { (dump: Dump) in
            (dump.values[9] ?? 0) &- (dump.values[3] ?? 0)
        }
        #expect(fromEntry(ours) == fromEntry(native))
        if flags == ["-static"] { #expect(ours.values[9] == native.values[9]) }
    }

    @Test func oneEmptyArgumentWhereNoneWasGiven() throws {
        let program = try BuiltProgram.compile(Self.dumper)
        let dump = try dump(program, [], [])
        #expect(dump.lines.contains("argc 1"))
    }

    @Test func stackPointerIsAlignedForEveryLength() throws {
        let program = try BuiltProgram.compile(Self.dumper)
        for length in 0..<64 {
            let argument = String(repeating: "a", count: length)
            let dump = try dump(program, [argument, argument], ["E=" + argument])
            #expect(dump.lines.contains("sp 0"))
        }
    }

    @Test func tooMuchIsToldBeforeAnythingIsWritten() throws {
        let program = try BuiltProgram.compile(Self.dumper)
        let fits = String(repeating: "a", count: InitialStack.maximumString - 1)
        #expect(throws: Errno.argumentListTooLong) { try dump(program, [fits + "a"], []) }
        #expect(throws: Errno.argumentListTooLong) {
            try dump(program, Array(repeating: fits, count: 17), [])
        }
        #expect(try Stack.make([fits], [], "x", Stack.values, 1 << 40, limit: 1 << 20).size > 0)
        #expect(throws: Errno.argumentListTooLong) {
            try Stack.make([fits, fits], [], "x", Stack.values, 1 << 40, limit: 0)
        }
    }

    /// Finds the longest last argument that Linux still takes, for several stack limits.
    @Test func limitIsThatOfLinux() throws {
        let prober = try BuiltProgram.compile(
            """
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/resource.h>
            #include <sys/wait.h>
            #include <unistd.h>
            static char *list[64], *none[] = {0};
            static int fits(char *self, long count, long last) {
                for (long i = 0; i < count; i++) {
                    long size = i == count - 1 ? last : 100000;
                    list[i] = malloc(size + 1);
                    memset(list[i], 'a', size);
                    list[i][size] = 0;
                }
                pid_t child = vfork();
                if (!child) { execve(self, list, none); _exit(9); }
                int status;
                waitpid(child, &status, 0);
                for (long i = 0; i < count; i++) free(list[i]);
                return WEXITSTATUS(status) == 0;
            }
            int main(int argc, char **argv) {
                if (argc != 4) return 0;
                long stack = atol(argv[2]), count = atol(argv[3]), low = 0, high = 131072;
                struct rlimit limit = {stack, stack};
                setrlimit(RLIMIT_STACK, &limit);
                while (high - low > 1) {
                    long middle = (low + high) / 2;
                    if (fits(argv[1], count, middle)) low = middle; else high = middle;
                }
                printf("%ld\\n", low);
            }
            """
        )
        for (stack, count) in [(1 << 20, 3), (500_000, 2), (8 << 20, 1), (8 << 20, 21)] {
            let arguments = [prober, String(stack), String(count)]
            let native = try BuiltProgram.run(prober, arguments, environment: [:]).output
            let longest = try #require(Int(native.filter { $0.isNumber }))
            let list = Array(repeating: String(repeating: "a", count: 100_000), count: count - 1)
            let fits = { (last: Int) in
                let all = list + [String(repeating: "a", count: last)]
                return (try? Stack.make(all, [], prober, Stack.values, 1 << 40, limit: stack / 4))
                    != nil
            }
            #expect(fits(longest), "\(stack) \(count) \(longest)")
            #expect(!fits(longest + 1), "\(stack) \(count) \(longest)")
        }
    }

    @Test func stringTableWantsItsLastZero() {
        let bytes: [UInt8] = [0x61, 0, 0x62]
        bytes.withUnsafeBytes { buffer in
            #expect(StringTable(buffer) == nil)
            #expect(StringTable(UnsafeRawBufferPointer(rebasing: buffer[..<2]))?.count == 1)
        }
    }
}

/// Makes stacks from Swift strings, and reads them back.
private enum Stack {
    static var values: AuxiliaryValues {
        var builder = ELFBuilder()
        builder.fileSize = 0x1000
        guard let plan = try? LoadPlan(bytes: builder.build()) else { fatalError("bad builder") }
        return AuxiliaryValues(program: plan, interpreter: nil, random: (0, 0))
    }

    static func make(
        _ arguments: [String],
        _ environment: [String],
        _ path: String,
        _ values: AuxiliaryValues,
        _ top: UInt64,
        limit: Int = 2 << 20
    ) throws -> (size: Int, stackPointer: UInt64, bytes: [UInt8]) {
        let first: [UInt8] = arguments.flatMap { Array($0.utf8) + [0] }
        let second: [UInt8] = environment.flatMap { Array($0.utf8) + [0] }
        return try first.withUnsafeBytes { first in
            try second.withUnsafeBytes { second in
                try Array(path.utf8).withUnsafeBytes { path in
                    let stack = try InitialStack(
                        arguments: StringTable(first) ?? .none,
                        environment: StringTable(second) ?? .none,
                        executablePath: path,
                        values: values,
                        top: top,
                        limit: limit
                    )
                    var bytes = [UInt8](repeating: 0xff, count: stack.size)
                    bytes.withUnsafeMutableBytes { stack.write(into: $0) }
                    return (stack.size, stack.stackPointer, bytes)
                }
            }
        }
    }

    static func text(_ bytes: [UInt8], _ stackPointer: UInt64, _ top: UInt64) -> String {
        let word = { (index: Int) in
            bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) }
        }
        let string = { (address: UInt64) in
            let start = Int(address - stackPointer)
            return String(decoding: bytes[start...].prefix { $0 != 0 }, as: UTF8.self)
        }
        var lines = ["top \(top % 4096)", "sp \(stackPointer % 16)", "argc \(word(0))"]
        var index = 1
        for kind in ["arg", "env"] {
            while word(index) != 0 {
                lines.append("\(kind) -\(top - word(index)) \(string(word(index)))")
                index += 1
            }
            index += 1
        }
        var vector: [String] = []
        while word(index) != 0 {
            let (key, value) = (word(index), word(index + 1))
            if key == AuxiliaryKey.executablePath.rawValue {
                lines.append("path -\(top - value) \(string(value))")
            }
            if key == AuxiliaryKey.platform.rawValue { #expect(string(value) == "x86_64") }
            vector.append("aux \(key) \(Int64(bitPattern: value))")
            index += 2
        }
        return (lines + vector).joined(separator: "\n")
    }
}
