import LaunchRecord
import Platform

/// What `unirun` packed into the boot module: the launch record, the program and the root image, each
/// beginning on a page and padded with zeros, so that their pages are mapped in place.
enum Images {
    nonisolated(unsafe) private(set) static var record: Range<UInt64> = 0..<0
    nonisolated(unsafe) private static var program: Range<UInt64> = 0..<0
    nonisolated(unsafe) private static var root: Range<UInt64> = 0..<0
    nonisolated(unsafe) private static var programSize: UInt64 = 0
    nonisolated(unsafe) private static var rootSize: UInt64 = 0
    nonisolated(unsafe) private static var options: LaunchOptions = []

    /// Whether no `unirun` is at the other end of a console.
    static var hasOwnTerminal: Bool { options.contains(.ownTerminal) }

    /// Finds the three in the module; the record tells how long the others are.
    static func find(in module: Range<UInt64>) {
        let bytes = UnsafeRawBufferPointer(
            start: Physical.pointer(module.lowerBound),
            count: module.count
        )
        guard var reader = try? LaunchRecordReader(bytes) else {
            die("this is unirun's kernel: boot it by `unirun --platform vm PROGRAM`")
        }
        do throws(LaunchRecordReader.Failure) {
            while let item = try reader.next() { take(item.kind, item.payload) }
        } catch {
            die("the launch record is broken")
        }
        let length = UInt64(bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        record = module.lowerBound..<module.lowerBound + length
        program = next(after: record, programSize, module)
        root = next(after: program, rootSize, module)
    }

    private static func take(_ kind: LaunchRecord.Kind, _ payload: UnsafeRawBufferPointer) {
        switch kind {
        case .programSize where payload.count == 8:
            programSize = payload.loadUnaligned(as: UInt64.self)
        case .rootImageSize where payload.count == 8:
            rootSize = payload.loadUnaligned(as: UInt64.self)
        case .options where payload.count == 8:
            options = LaunchOptions(rawValue: payload.loadUnaligned(as: UInt64.self))
        case .randomSeed:
            withUnsafeMutableBytes(of: &machine_boot_information().pointee.random_seed) {
                $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: payload.prefix($0.count)))
            }
        default: break
        }
    }

    private static func next(
        after previous: Range<UInt64>,
        _ size: UInt64,
        _ module: Range<UInt64>
    ) -> Range<UInt64> {
        let start = roundUp(previous.upperBound)
        guard start <= roundUp(module.upperBound), size <= roundUp(module.upperBound) - start else {
            die("the boot module is shorter than its launch record says")
        }
        return start..<roundUp(start + size)
    }

    private static func roundUp(_ address: UInt64) -> UInt64 { (address + 4095) & ~4095 }

    /// The physical pages of an image.
    static func pages(_ image: UInt32) -> Range<UInt64> {
        image == PLATFORM_IMAGE_PROGRAM.rawValue ? program : root
    }

    /// As pread(2).
    static func read(
        _ image: UInt32,
        _ offset: UInt64,
        _ buffer: UnsafeMutableRawPointer,
        _ length: UInt64
    ) -> Int64 {
        let size = image == PLATFORM_IMAGE_PROGRAM.rawValue ? programSize : rootSize
        guard offset < size else { return 0 }
        let count = Int(min(length, size - offset))
        let source = Physical.pointer(pages(image).lowerBound + offset)
        return user_copy(buffer, source, count) == 0 ? Int64(count) : -14
    }
}
