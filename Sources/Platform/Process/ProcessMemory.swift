import HostCalls
import LaunchRecord
import Platform

/// Where the process world puts what the program must not reach, above the program's part.
enum ProcessLayout {
    /// The program's part above the image; below it, low code lies under 0x7000_0000.
    static var userStart: UInt64 { 0x8000_0000 }
    static var userEnd: UInt64 { 0x7e00_0000_0000 }
    static var lowEnd: UInt64 { 0x7000_0000 }
    /// Stubs for low code lie from here to `userStart`.
    static var stubs: UInt64 { 0x7800_0000 }
    /// The machine's memory.
    static var memory: UInt64 { 0x7e00_0000_0000 }
    /// The images of the program and of the root file system, to be read.
    static var images: InlineArray<2, UInt64> { [0x7e80_0000_0000, 0x7e90_0000_0000] }
    static var imageLimit: UInt64 { 0x10_0000_0000 }
    static var launchRecord: UInt64 { 0x7ea0_0000_0000 }
    static var signalStack: UInt64 { 0x7ea1_0000_0000 }
    /// With what a host process knows of itself above it.
    static var signalStackSize: UInt64 { 64 << 10 }
    /// A request to a server of folders, and its answer.
    static var folders: UInt64 { 0x7ea3_0000_0000 }
    /// What stands in for the host's vDSO: HostVDSO.
    static var slowClock: UInt64 { 0x7ea2_0000_0000 }
}

// Flags of mmap(2) and madvise(2) on the host.
private let shared: UInt64 = 0x01
private let `private`: UInt64 = 0x02
private let fixed: UInt64 = 0x10
private let anonymous: UInt64 = 0x20
private let withoutReserve: UInt64 = 0x4000
private let noDescriptor = UInt64.max

enum ProcessMemory {
    nonisolated(unsafe) private static var imageSizes = InlineArray<2, UInt64>(repeating: 0)

    // MARK: Before the filter

    /// Maps all of a file for the kernel; its size in bytes, or a negated errno.
    static func mapFile(_ descriptor: HostDescriptor, at start: UInt64, isWritable: Bool) -> Int64 {
        let size = callHost(HostNumber.lseek, UInt64(descriptor.rawValue), 0, 2)
        guard size > 0 else { return size }
        let answer = callHost(
            HostNumber.mmap,
            start,
            UInt64(size),
            isWritable ? 3 : 1,
            isWritable ? shared | fixed : `private` | fixed,
            UInt64(descriptor.rawValue),
            0
        )
        return answer < 0 ? answer : size
    }

    /// Maps an image to be read by `readImage`.
    static func openImage(_ image: platform_image, _ descriptor: HostDescriptor) -> Int64 {
        let index = Int(image.rawValue)
        let size = mapFile(descriptor, at: ProcessLayout.images[index], isWritable: false)
        guard size > 0 else { return size }
        guard UInt64(size) <= ProcessLayout.imageLimit else { return -27 }
        imageSizes[index] = UInt64(size)
        return size
    }

    static func mapSignalStack() -> Int64 {
        callHost(
            HostNumber.mmap,
            ProcessLayout.signalStack,
            ProcessLayout.signalStackSize,
            3,
            `private` | anonymous | fixed,
            noDescriptor,
            0
        )
    }

    /// Maps memory that all processes of the kernel share, zero and not yet there.
    static func mapShared(_ start: UInt64, _ length: UInt64) -> Int64 {
        callHost(HostNumber.mmap, start, length, 3, shared | anonymous | fixed, noDescriptor, 0)
    }

    /// Maps one page of code.
    static func mapCode(_ code: UInt64, at start: UInt64) -> Int64 {
        let answer = callHost(
            HostNumber.mmap,
            start,
            4096,
            3,
            `private` | anonymous | fixed,
            noDescriptor,
            0
        )
        guard answer >= 0 else { return answer }
        UnsafeMutablePointer<UInt64>(bitPattern: UInt(start))!.pointee = code
        return protect(start, 4096, 5)
    }

    // MARK: Operations of the contract

    static func mapAnonymous(_ start: UInt64, _ length: UInt64, _ protection: UInt32) -> Int64 {
        callHost(
            HostNumber.mmap,
            start,
            length,
            UInt64(protection),
            `private` | anonymous | fixed | withoutReserve,
            noDescriptor,
            0
        )
    }

    static func mapMemory(
        _ start: UInt64,
        _ length: UInt64,
        _ offset: UInt64,
        _ protection: UInt32,
        _ isShared: UInt32
    ) -> Int64 {
        mapMemoryFile(
            start,
            length,
            fileOffset(offset),
            protection,
            (isShared != 0 ? shared : `private` | withoutReserve) | fixed
        )
    }

    /// Maps the file that holds the machine's memory where the kernel's variables lie in it.
    static func shareVariables(_ start: UInt64, _ length: UInt64, _ offset: UInt64) -> Int64 {
        let readWrite = PLATFORM_READ.rawValue | PLATFORM_WRITE.rawValue
        return mapMemoryFile(start, length, offset, readWrite, shared | fixed)
    }

    private static func mapMemoryFile(
        _ start: UInt64,
        _ length: UInt64,
        _ offset: UInt64,
        _ protection: UInt32,
        _ flags: UInt64
    ) -> Int64 {
        callHost(
            HostNumber.mmap,
            start,
            length,
            UInt64(protection),
            flags,
            UInt64(HostDescriptor.memory.rawValue),
            offset
        )
    }

    static func mapImage(
        _ start: UInt64,
        _ length: UInt64,
        _ image: UInt32,
        _ offset: UInt64,
        _ protection: UInt32
    ) -> Int64 {
        let descriptor: HostDescriptor =
            image == PLATFORM_IMAGE_PROGRAM.rawValue ? .program : .rootImage
        return callHost(
            HostNumber.mmap,
            start,
            length,
            UInt64(protection),
            `private` | fixed | withoutReserve,
            UInt64(descriptor.rawValue),
            offset
        )
    }

    static func unmap(_ start: UInt64, _ length: UInt64) -> Int64 {
        callHost(HostNumber.munmap, start, length)
    }

    static func protect(_ start: UInt64, _ length: UInt64, _ protection: UInt32) -> Int64 {
        callHost(HostNumber.mprotect, start, length, UInt64(protection))
    }

    static func move(
        _ from: UInt64,
        _ fromLength: UInt64,
        _ target: UInt64,
        _ targetLength: UInt64
    ) -> Int64 {
        let mayMoveFixed: UInt64 = 3
        return callHost(
            HostNumber.mremap,
            from,
            fromLength,
            targetLength,
            from == target ? 0 : mayMoveFixed,
            target
        )
    }

    static func discard(_ start: UInt64, _ length: UInt64) -> Int64 {
        let dontNeed: UInt64 = 4
        return callHost(HostNumber.madvise, start, length, dontNeed)
    }

    static func resident(
        _ start: UInt64,
        _ length: UInt64,
        _ pages: UnsafeMutablePointer<UInt8>
    ) -> Int64 {
        callHost(HostNumber.mincore, start, length, address(pages))
    }

    /// What the program and the kernel had resident together, from getrusage(2).
    static func largestResidentSize() -> Int64 {
        // struct rusage: two times of two words, then ru_maxrss in kilobytes.
        var usage = InlineArray<18, Int64>(repeating: 0)
        let answer = callHost(HostNumber.getrusage, 0, address(&usage))
        return answer < 0 ? answer : usage[4] << 10
    }

    /// Where the machine's memory begins in its file: behind the kernel's variables.
    private static func fileOffset(_ offset: UInt64) -> UInt64 {
        offset &+ HostProcesses.variablesSize
    }

    private static func memoryAddress(_ offset: UInt64) -> UInt64 {
        ProcessLayout.memory &+ fileOffset(offset)
    }

    static func releaseMemory(_ offset: UInt64, _ length: UInt64) {
        let remove: UInt64 = 9
        _ = callHost(HostNumber.madvise, memoryAddress(offset), length, remove)
    }

    /// The image is mapped: reading is copying. A file that shrank faults, which is an I/O error.
    static func readImage(
        _ image: UInt32,
        _ offset: UInt64,
        _ buffer: UnsafeMutableRawPointer,
        _ length: UInt64
    ) -> Int64 {
        let size = imageSizes[Int(image)]
        guard offset < size else { return 0 }
        let count = Int(min(length, size - offset))
        let source = ProcessLayout.images[Int(image)] + offset
        let missing = user_copy(buffer, UnsafeRawPointer(bitPattern: UInt(source)), count)
        return missing == 0 ? Int64(count) : -5
    }
}
