import LinuxABI
import Platform

extension Thread {
    /// Bytes of an xsave area: at least the legacy region and its header.
    static var vectorStateSize: Int {
        (max(Int(truncatingIfNeeded: boot.pointee.xsave_size), 576) + 63) & ~63
    }

    /// Bytes of the area in which a thread's registers are saved in either way.
    static var vectorAreaSize: Int { max(vectorStateSize, Int(vector_registers_size)) }
}

/// What is kept of a thread's registers while it does not run. The others are on its kernel stack.
///
/// A structure of its own, so that a switch counts no reference to a thread.
struct SavedRegisters {
    /// The kernel stack pointer.
    var stackPointer: UInt64 = 0
    /// The %fs base.
    var threadPointer: UInt64 = 0
    /// Vector and floating-point registers.
    let vectorState: UnsafeMutableRawPointer
    /// The features whose registers were saved one by one; `.max` when it is an xsave area.
    private var vectorFeatures = UInt64.max

    init(vectorState: UnsafeMutableRawPointer) { self.vectorState = vectorState }

    /// Saves the live registers as those of this thread: one by one where the processor tells which
    /// are in use and they are such that can be moved.
    @inline(__always)
    mutating func takeVectorState() {
        vectorFeatures = .max
        if boot.pointee.tells_vector_use != 0 {
            let features = vector_state_in_use() | UInt64(VECTOR_SSE)
            if features & ~vector_registers_features == 0 { vectorFeatures = features }
        }
        if vectorFeatures == .max {
            vector_state_save_all(vectorState)
        } else {
            vector_registers_save(vectorState, vectorFeatures)
        }
    }

    /// Loads the saved registers in the place of another thread's, which were just saved.
    @inline(__always)
    func loadVectorState(over other: SavedRegisters) {
        guard vectorFeatures != .max else {
            vector_state_restore(vectorState, .max)
            return
        }
        let left = other.vectorFeatures & ~vectorFeatures
        guard left == 0 else {
            // With SSE, so that MXCSR is the initial one whatever is left.
            let initial = ThreadTable.initialVectorState!
            vector_state_restore(initial, left | UInt64(VECTOR_SSE))
            vector_registers_restore(vectorState, vectorFeatures, initial, 0)
            return
        }
        vector_registers_restore(
            vectorState,
            vectorFeatures,
            other.vectorState,
            other.vectorFeatures
        )
    }

    /// Loads the saved registers, whatever is in the processor's.
    func loadVectorState() {
        guard vectorFeatures != .max else {
            vector_state_restore(vectorState, .max)
            return
        }
        let initial = ThreadTable.initialVectorState!
        vector_state_restore(initial, .max)
        vector_registers_restore(vectorState, vectorFeatures, initial, 0)
    }

    /// Makes the saved registers those that a program starts with.
    mutating func resetVectorState() {
        vectorFeatures = .max
        vectorState.makeInitialVectorState()
    }
}

extension UnsafeMutableRawPointer {
    /// Makes an xsave area of what is here, with all features initial.
    func makeInitialVectorState() {
        let size = VectorState.legacySize + VectorState.headerSize
        initializeMemory(as: UInt8.self, repeating: 0, count: size)
        storeBytes(
            of: VectorState.initialFlags,
            toByteOffset: VectorState.flagsOffset,
            as: UInt32.self
        )
    }
}
