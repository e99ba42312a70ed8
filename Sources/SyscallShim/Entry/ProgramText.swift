import Kernel
import LinuxABI
import Platform
import Rewriter

/// A process's text, as the rewriter reads and patches it: the running one's, if not told otherwise.
final class ProgramText: CodeMemory {
    private var other: AddressSpace?
    private var space: AddressSpace { other ?? Process.current.addressSpace }
    /// What is open for writing while many sites are patched.
    private var opened: [Range<UInt64>]?

    func patchableText(around address: UInt64) -> Range<UInt64>? {
        space.patchableText(around: address)
    }

    func read(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        do throws(Errno) {
            try UserMemory.read(buffer, at: UInt(address))
            return true
        } catch {
            return false
        }
    }

    func mapStubPage(at address: UInt64) -> Bool {
        do throws(Errno) {
            try space.mapStubPage(at: address, isOpen: opened != nil)
            opened?.append(address..<address &+ UInt64(pageSize))
            return true
        } catch {
            return false
        }
    }

    func withWritable(_ range: Range<UInt64>, _ body: (UnsafeMutableRawPointer) -> Void) -> Bool {
        guard opened != nil else { return space.withWritableText(range, body) }
        guard open(range), let place = UnsafeMutableRawPointer(bitPattern: UInt(range.lowerBound))
        else { return false }
        body(place)
        return true
    }

    /// Patches many sites of a process that does not run yet: each mapping is opened and closed once.
    func patchAll(in space: AddressSpace, _ body: () -> Void) {
        other = space
        opened = []
        body()
        for text in opened ?? [] { space.closeText(text) }
        opened = nil
        other = nil
    }

    private func open(_ range: Range<UInt64>) -> Bool {
        guard let text = space.writableText(around: range.lowerBound),
            text.contains(range.upperBound - 1)
        else { return false }
        if opened?.contains(text) == true { return true }
        guard space.openText(text) else { return false }
        opened?.append(text)
        return true
    }
}
