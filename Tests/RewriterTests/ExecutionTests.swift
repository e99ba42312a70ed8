import Foundation
import Rewriter
import Testing

/// The memory of this process, at addresses that nothing else uses.
private final class OwnMemory: CodeMemory {
    static let entry: UInt64 = 0x7000_0000
    static let entryLosingFlags: UInt64 = 0x7000_0200
    static let record: UInt64 = 0x7000_0800

    let text: UInt64

    init(text: UInt64) {
        self.text = text
        precondition(OwnMemory.map(text) && OwnMemory.map(OwnMemory.entry))
    }

    deinit {
        munmap(UnsafeMutableRawPointer(bitPattern: UInt(text)), 4096)
        munmap(UnsafeMutableRawPointer(bitPattern: UInt(OwnMemory.entry)), 4096)
        for page in stubs { munmap(UnsafeMutableRawPointer(bitPattern: UInt(page)), 4096) }
    }

    private var stubs: [UInt64] = []

    private static func map(_ address: UInt64) -> Bool {
        let wish = UnsafeMutableRawPointer(bitPattern: UInt(address))
        let fixedNoReplace: Int32 = 0x10_0000
        let got = mmap(
            wish,
            4096,
            PROT_READ | PROT_WRITE | PROT_EXEC,
            MAP_PRIVATE | MAP_ANONYMOUS | fixedNoReplace,
            -1,
            0
        )
        return got == wish
    }

    func patchableText(around address: UInt64) -> Range<UInt64>? {
        text..<text + 4096
    }

    func read(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        buffer.copyMemory(
            from: UnsafeRawBufferPointer(
                start: UnsafeRawPointer(bitPattern: UInt(address)),
                count: buffer.count
            )
        )
        return true
    }

    func mapStubPage(at address: UInt64) -> Bool {
        guard OwnMemory.map(address) else { return false }
        stubs.append(address)
        return true
    }

    func withWritable(
        _ range: Range<UInt64>,
        _ body: (UnsafeMutableRawPointer) -> Void
    ) -> Bool {
        body(UnsafeMutableRawPointer(bitPattern: UInt(range.lowerBound))!)
        return true
    }

    func store(_ code: [UInt8], at address: UInt64) {
        UnsafeMutableRawPointer(bitPattern: UInt(address))!
            .copyMemory(from: code, byteCount: code.count)
    }

    /// What the fake entry saw: %rax, %rcx, the number of calls; and what it returns.
    var seen: UnsafeMutablePointer<UInt64> {
        UnsafeMutablePointer(bitPattern: UInt(OwnMemory.record))!
    }

    func call(_ address: UInt64, _ first: UInt64, _ second: UInt64) -> UInt64 {
        typealias Function = @convention(c) (UInt64, UInt64) -> UInt64
        return unsafeBitCast(UInt(address), to: Function.self)(first, second)
    }
}

/// The rewriter that the SIGTRAP handler asks: a C function captures nothing.
nonisolated(unsafe) private var trapped: Rewriter?
nonisolated(unsafe) private var trapCount = 0

private func onTrap(
    _ signal: Int32,
    _ info: UnsafeMutablePointer<siginfo_t>?,
    _ context: UnsafeMutableRawPointer?
) {
    // gregs begins 40 bytes into ucontext_t; REG_RIP is its sixteenth entry.
    let counter = context!.advanced(by: 40 + 16 * 8).assumingMemoryBound(to: UInt64.self)
    trapCount += 1
    guard let target = trapped?.continuation(forTrapAt: counter.pointee - 1) else { abort() }
    counter.pointee = target
}

/// Patched code is executed: the entry is a few instructions that note what they were given.
@Suite(.serialized) struct ExecutionTests {
    private struct Snippet {
        var name: String
        /// Before the site, behind the filler; executed too.
        var before: [UInt8]
        /// From the `syscall` on.
        var after: [UInt8]
        var shape: SitePlan.Shape
        /// Result for the arguments 7 and 40, when the entry answers 100.
        var result: UInt64
        /// Instructions around the site from which the result is the same.
        var landings: [Int] = []
        var hasFiller = true
        var calls: UInt64 = 1
    }

    private static let padding: [UInt8] = [0x66, 0x0f, 0x1f, 0x44, 0, 0]
    private static let bigPadding: [UInt8] = [0x0f, 0x1f, 0x80, 0, 0, 0, 0]

    private static let snippets = [
        Snippet(
            name: "mov $39,%eax; syscall; ret",
            before: [0xb8, 0x27, 0, 0, 0],
            after: [0x0f, 0x05, 0xc3],
            shape: .moveNumber,
            result: 100
        ),
        Snippet(
            name: "syscall; mov %rax,%rdx; lea 1(%rdx),%rax; ret",
            before: [0x31, 0xc9],
            after: [0x0f, 0x05, 0x48, 0x89, 0xc2, 0x48, 0x8d, 0x42, 0x01, 0xc3],
            shape: .following,
            result: 101,
            landings: [0],
            hasFiller: false
        ),
        Snippet(
            name: "syscall; test %eax,%eax; js; mov %esi,%eax; ret",
            before: [],
            after: [0x0f, 0x05, 0x85, 0xc0, 0x78, 0x03, 0x89, 0xf0, 0xc3, 0xf4],
            shape: .following,
            result: 40,
            landings: [0],
            hasFiller: false
        ),
        Snippet(
            name: "syscall; jmp over; ud2; ret",
            before: [],
            after: [0x0f, 0x05, 0xe9, 0x02, 0, 0, 0, 0x0f, 0x0b, 0xc3],
            shape: .following,
            result: 100,
            landings: [0],
            hasFiller: false
        ),
        Snippet(
            name: "syscall; call f; add %rdi,%rax; ret; f: lea (%rax,%rsi),%rax; ret",
            before: [],
            after: [
                0x0f, 0x05, 0xe8, 0x04, 0, 0, 0, 0x48, 0x01, 0xf8, 0xc3, 0x48, 0x8d, 0x04, 0x30,
                0xc3,
            ],
            shape: .following,
            result: 147,
            landings: [0],
            hasFiller: false
        ),
        Snippet(
            name: "syscall; add 1(%rip),%rax; ret; 12",
            before: [],
            after: [0x0f, 0x05, 0x48, 0x03, 0x05, 0x01, 0, 0, 0, 0xc3, 12, 0, 0, 0, 0, 0, 0, 0],
            shape: .following,
            result: 112,
            landings: [0],
            hasFiller: false
        ),
        Snippet(
            name: "again: syscall; dec %esi; jne again; ret",
            before: [],
            after: [0x0f, 0x05, 0xff, 0xce, 0x75, 0xfa, 0xc3],
            shape: .following,
            result: 100,
            landings: [0],
            hasFiller: false,
            calls: 40
        ),
        Snippet(
            name: "cmp %rsi,%rdi; syscall; mov %rax,%rdx; jae; mov %rsi,%rax; ret",
            before: [0x48, 0x39, 0xf7],
            after: [0x0f, 0x05, 0x48, 0x89, 0xc2, 0x73, 0x03, 0x48, 0x89, 0xf0, 0xc3],
            shape: .following,
            result: 40,
            hasFiller: false
        ),
        Snippet(
            name: "syscall; ret; nopw",
            before: [],
            after: [0x0f, 0x05, 0xc3] + padding,
            shape: .following,
            result: 100,
            landings: [0],
            hasFiller: false
        ),
        Snippet(
            name: "mov %rsi,-8(%rsp); syscall; ret, as musl has it",
            before: [0x48, 0x89, 0x74, 0x24, 0xf8],
            after: [0x0f, 0x05, 0xc3, 0x06],
            shape: .preceding,
            result: 100,
            landings: [-5]
        ),
        Snippet(
            name: "mov %r8,%rax; syscall; ret, the jump over both",
            before: [0x4c, 0x89, 0xc0],
            after: [0x0f, 0x05, 0xc3, 0x06],
            shape: .preceding,
            result: 100,
            landings: [-9, -6, -3]
        ),
        Snippet(
            name: "syscall; jrcxz; ret; nopl, an island",
            before: [],
            after: [0x0f, 0x05, 0xe3, 0x00, 0xc3] + bigPadding + [0xc3],
            shape: .island,
            result: 100,
            hasFiller: false
        ),
    ]

    /// mov $record,%r11; mov %rax,(%r11); mov %rcx,8(%r11); count; mov 24(%r11),%rax; jmp *%rcx
    private func entryCode() -> [UInt8] {
        let record = OwnMemory.record
        var code: [UInt8] = [0x49, 0xbb]
        for index in 0..<8 { code.append(UInt8(truncatingIfNeeded: record >> UInt64(index * 8))) }
        code += [0x49, 0x89, 0x03, 0x49, 0x89, 0x4b, 0x08]
        code += [0x49, 0x8b, 0x43, 0x10, 0x48, 0x8d, 0x40, 0x01, 0x49, 0x89, 0x43, 0x10]
        return code + [0x49, 0x8b, 0x43, 0x18, 0xff, 0xe1]
    }

    @Test func patchedCodeDoesWhatTheOriginalWould() {
        var action = sigaction()
        action.__sigaction_handler.sa_sigaction = onTrap
        action.sa_flags = Int32(SA_SIGINFO) | Int32(SA_NODEFER)
        var previous = sigaction()
        sigaction(SIGTRAP, &action, &previous)
        defer { sigaction(SIGTRAP, &previous, nil) }
        for snippet in ExecutionTests.snippets {
            // Where the fake platform keeps nothing for its program in the same test process.
            run(snippet, at: 0x2000_0000)
            run(snippet, at: 0x2000_0000_0000)
        }
    }

    private func run(_ snippet: Snippet, at text: UInt64) {
        let memory = OwnMemory(text: text)
        let rewriter = Rewriter(
            entries: StubEntries(
                keepingFlags: OwnMemory.entry,
                losingFlags: OwnMemory.entryLosingFlags
            ),
            windows: [
                StubWindow(code: 0x1000_0000..<0x7000_0000, stubs: 0x7000_1000..<0x8000_0000),
                testWindows[1],
            ]
        )
        trapped = rewriter
        defer { trapped = nil }
        let start = memory.text + 120
        // Not valid in 64-bit mode: nothing is proved by it.
        memory.store([UInt8](repeating: 0x06, count: 4096), at: memory.text)
        if snippet.hasFiller { memory.store(filler(120), at: memory.text) }
        memory.store(snippet.before + snippet.after, at: start)
        memory.store(entryCode(), at: OwnMemory.entry)
        // cmp %rsp,%rsp
        memory.store([0x48, 0x39, 0xe4] + entryCode(), at: OwnMemory.entryLosingFlags)
        let site = start + UInt64(snippet.before.count)
        let outcome = rewriter.caught(site: site, number: 39, memory: memory)
        guard case .patched(let shape, let back) = outcome else {
            Issue.record("\(snippet.name): \(outcome)")
            return
        }
        #expect(shape == snippet.shape, "\(snippet.name)")
        memory.seen[3] = 100
        let begin = snippet.hasFiller ? memory.text : start
        expectResult(snippet, from: begin, memory, back)
        #expect(trapCount == 0, "\(snippet.name)")
        land(snippet, site, memory)
    }

    private func expectResult(
        _ snippet: Snippet,
        from start: UInt64,
        _ memory: OwnMemory,
        _ back: UInt64?
    ) {
        memory.seen[2] = 0
        trapCount = 0
        #expect(memory.call(start, 7, 40) == snippet.result, "\(snippet.name)")
        #expect(memory.seen[2] == snippet.calls, "\(snippet.name)")
        if let back { #expect(memory.seen[1] == back, "\(snippet.name)") }
        if snippet.shape == .moveNumber { #expect(memory.seen[0] == 39) }
    }

    /// Branches to instructions that the jump covers, and to where the caught call returns. A
    /// `syscall` that was left as it is would be the host's, and is not tried.
    private func land(
        _ snippet: Snippet,
        _ site: UInt64,
        _ memory: OwnMemory
    ) {
        for offset in snippet.landings {
            expectResult(snippet, from: site &+ UInt64(bitPattern: Int64(offset)), memory, nil)
        }
        // Behind the site with another result: %rax is what the C caller left, so it is not checked.
        let behind = UnsafePointer<UInt8>(bitPattern: UInt(site + 2))!.pointee
        guard behind == 0xcc else { return }
        trapCount = 0
        memory.seen[2] = 0
        _ = memory.call(site + 2, 7, 40)
        #expect(trapCount == 1, "\(snippet.name)")
        #expect(memory.seen[2] == snippet.calls - 1, "\(snippet.name)")
    }
}
