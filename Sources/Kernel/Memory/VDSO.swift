import LinuxABI
import Platform

/// The vDSO's pages in the machine's memory, mapped into every program: the object, then the page
/// of its data.
public enum VDSO {
    nonisolated(unsafe) private static var firstFrame = Frame(number: 0)
    /// Bytes to map; zero when there is none.
    nonisolated(unsafe) public private(set) static var size = 0

    /// Offset of the pages in the machine's memory.
    public static var offset: UInt64 { firstFrame.offset }

    /// Copies the object out of the kernel image. Called once at the start.
    static func start() throws(Errno) {
        let begin = UInt(vdso_image_bounds.0)
        let count = Int(vdso_image_bounds.1) - Int(begin)
        guard count > 0, let image = UnsafeRawPointer(bitPattern: begin) else { return }
        let objectSize = (count + pageMask) & ~pageMask
        var order = 0
        while pageSize << order < objectSize + pageSize { order += 1 }
        firstFrame = try FrameAllocator.allocateZeroed(order: order)
        size = objectSize + pageSize
        firstFrame.address.copyMemory(from: image, byteCount: count)
        (firstFrame.address + objectSize).storeBytes(
            of: boot.pointee.user_clock,
            as: vdso_data.self
        )
    }
}
