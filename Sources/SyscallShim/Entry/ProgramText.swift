import Kernel
import LinuxABI
import Platform
import Rewriter

/// The running process's text, as the rewriter reads and patches it.
final class ProgramText: CodeMemory {
    private var space: AddressSpace { Process.current.addressSpace }

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
            try space.mapStubPage(at: address)
            return true
        } catch {
            return false
        }
    }

    func withWritable(_ range: Range<UInt64>, _ body: (UnsafeMutableRawPointer) -> Void) -> Bool {
        space.withWritableText(range, body)
    }
}
