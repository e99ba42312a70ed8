import Kernel
import LinuxABI
import Platform
import Rewriter

/// How many instructions the processor executes for a call that does next to nothing, for `--stats`: from
/// the move of the number to what follows the `syscall`, where it stays, and where it was rewritten.
public enum NullCall {
    nonisolated(unsafe) private(set) static var instructionsTrapped: UInt64?
    nonisolated(unsafe) private(set) static var instructionsRewritten: UInt64?

    /// mov $110,%eax; syscall; cmp $-4095,%rax: getppid(2), as C libraries make calls. Nothing goes on
    /// behind that.
    private static let code: InlineArray<15, UInt8> = [
        0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0xeb, 0xfe,
    ]
    /// mov %rsi,%rdx: enough of it before the call shows the rewriter where instructions begin.
    private static let filler: InlineArray<3, UInt8> = [0x48, 0x89, 0xf2]
    private static let fillers = 40
    private static let number: UInt64 = 110
    private static let siteOffset: UInt64 = 5
    /// For the duration, where programs begin.
    private static var page: UInt64 { 0x40_0000 }
    private static var start: UInt64 { page + UInt64(fillers * filler.count) }

    /// Called before there is a program, and before a tracer takes the table over.
    public static func count() {
        // Most starts are measured themselves: nothing is made ready where there is nothing to count.
        let notImplemented = -Int64(Errno.notImplemented.rawValue)
        guard machine.pointee.count_instructions(0, 0) != notImplemented else { return }
        let memory = NullCallText(page)
        defer { memory.unmap() }
        guard memory.map({ write(to: $0) }) else { return }
        let stackSize = 16 << 10
        let stack = UnsafeMutableRawPointer.allocate(byteCount: stackSize, alignment: 64)
        defer { stack.deallocate() }
        let processor = cpu_current()
        let (oldStack, pending) = (processor.pointee.kernel_stack, cpu_take_pending())
        processor.pointee.kernel_stack = UInt64(UInt(bitPattern: stack)) + UInt64(stackSize)
        defer {
            processor.pointee.kernel_stack = oldStack
            cpu_set_pending(pending)
        }
        let site = start + siteOffset
        plain_sites_add(site + 2)
        instructionsTrapped = instructions(to: site + 2)
        plain_sites_clear()
        let entries = StubEntries(
            keepingFlags: system_call_entry_address(),
            losingFlags: system_call_entry_brief_address()
        )
        let low = StubWindow(code: Layout.low, stubs: Layout.lowStubs)
        let rewriter = Rewriter(entries: entries, windows: [low])
        guard
            case .patched(.moveNumber, _) = rewriter.caught(
                site: site,
                number: number,
                memory: memory
            )
        else { return }
        instructionsRewritten = instructions(to: site + 2)
    }

    private static func write(to page: UnsafeMutableRawPointer) {
        for index in 0..<fillers * filler.count {
            page.storeBytes(of: filler[index % filler.count], toByteOffset: index, as: UInt8.self)
        }
        let offset = Int(start - NullCall.page)
        for index in 0..<code.count {
            page.storeBytes(of: code[index], toByteOffset: offset + index, as: UInt8.self)
        }
    }

    private static func instructions(to end: UInt64) -> UInt64? {
        let count = machine.pointee.count_instructions(start, end)
        return count > 0 ? UInt64(count) : nil
    }
}

/// The page of the call, and that of its stub: mapped by nobody's address space.
private final class NullCallText: CodeMemory {
    private static let size: UInt64 = 4096
    private static var text: UInt32 { PLATFORM_READ.rawValue | PLATFORM_EXECUTE.rawValue }
    private static var data: UInt32 { PLATFORM_READ.rawValue | PLATFORM_WRITE.rawValue }

    private let page: UInt64
    private var stubs: UInt64?

    init(_ page: UInt64) { self.page = page }

    func map(_ write: (UnsafeMutableRawPointer) -> Void) -> Bool {
        machine.pointee.map_anonymous(page, NullCallText.size, NullCallText.text) >= 0
            && withWritable(page..<page + NullCallText.size, write)
    }

    func unmap() {
        _ = machine.pointee.unmap(page, NullCallText.size)
        if let stubs { _ = machine.pointee.unmap(stubs, NullCallText.size) }
        machine.pointee.space_trim()
    }

    func patchableText(around address: UInt64) -> Range<UInt64>? {
        page..<page + NullCallText.size
    }

    func read(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        guard address >= page, address - page <= NullCallText.size - UInt64(buffer.count),
            let source = UnsafeRawPointer(bitPattern: UInt(address))
        else { return false }
        buffer.baseAddress?.copyMemory(from: source, byteCount: buffer.count)
        return true
    }

    func mapStubPage(at address: UInt64) -> Bool {
        guard stubs == nil,
            machine.pointee.map_anonymous(address, NullCallText.size, NullCallText.text) >= 0
        else { return false }
        stubs = address
        return true
    }

    func withWritable(_ range: Range<UInt64>, _ body: (UnsafeMutableRawPointer) -> Void) -> Bool {
        let start = range.lowerBound & ~(NullCallText.size - 1)
        guard machine.pointee.protect(start, NullCallText.size, NullCallText.data) >= 0,
            let place = UnsafeMutableRawPointer(bitPattern: UInt(range.lowerBound))
        else { return false }
        body(place)
        return machine.pointee.protect(start, NullCallText.size, NullCallText.text) >= 0
    }
}
